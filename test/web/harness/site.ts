/** The built page in a real browser, with everything it asks for answered here: no server, no network. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { BrowserContext, Route } from 'playwright-core';
import { addSecurityHeaders } from '../../../src/server/headers.ts';
import type { Feed, Wire } from './feed.ts';

export const ORIGIN = 'http://switchboard.localhost';

const TYPES: Readonly<Record<string, string>> = {
  html: 'text/html; charset=utf-8',
  js: 'text/javascript',
  css: 'text/css',
  svg: 'image/svg+xml',
};

/** What `/api/...` answers, by method and path. */
export type Answers = (method: string, url: URL, body: string | null) => { status?: number; body: unknown } | undefined;

export interface Site {
  /** Whether sockets can be opened; false is a network that is gone. */
  reachable: boolean;
}

export async function installSite(
  context: BrowserContext,
  dist: string,
  feeds: ReadonlyMap<string, Feed>,
  answers: Answers,
): Promise<Site> {
  const site: Site = { reachable: true };
  await context.route('**/*', (route) => respond(route, dist, answers));
  await context.routeWebSocket(/\/connect$/, (socket) => {
    const id = /sessions\/([^/]+)\/connect/.exec(socket.url())?.[1] ?? '';
    const feed = feeds.get(id);
    if (!site.reachable) return void socket.close({ code: 1011, reason: 'unreachable' });
    if (!feed) return void socket.close({ code: 4404, reason: 'There is no such session.' });
    const wire: Wire = { send: (text) => socket.send(text), close: (options) => void socket.close(options) };
    feed.connect(wire);
    socket.onMessage((data) => feed.receive(wire, data));
    socket.onClose(() => feed.disconnect(wire));
  });
  return site;
}

async function respond(route: Route, dist: string, answers: Answers): Promise<void> {
  const request = route.request();
  const url = new URL(request.url());
  if (url.origin !== ORIGIN) return route.abort();
  if (url.pathname.startsWith('/api/')) {
    const answer = answers(request.method(), url, request.postData());
    const { status = 200, body } = answer ?? { status: 404, body: { code: 'not_found', detail: 'Nothing here.' } };
    return route.fulfill({ status, contentType: 'application/json', body: JSON.stringify(body) });
  }
  const isPage = url.pathname === '/' || url.pathname.startsWith('/shared/');
  const path = isPage ? 'index.html' : url.pathname.slice(1);
  const headers = new Headers({ 'content-type': TYPES[path.split('.').at(-1) ?? ''] ?? 'application/octet-stream' });
  addSecurityHeaders(headers, new Request(url), false);
  try {
    await route.fulfill({ headers: Object.fromEntries(headers), body: await readFile(join(dist, path)) });
  } catch {
    await route.fulfill({ status: 404, body: '' });
  }
}

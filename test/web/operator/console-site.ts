/** The built console in a real browser, with a `FakeApi` behind it: no server, no network. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { BrowserContext, Route } from 'playwright-core';
import { addSecurityHeaders } from '../../../src/server/headers.ts';
import type { FakeApi } from './fake-api.ts';

const ORIGIN = 'http://switchboard.localhost';
export const CONSOLE = `${ORIGIN}/operator`;

const TYPES: Readonly<Record<string, string>> = {
  html: 'text/html; charset=utf-8',
  js: 'text/javascript',
  css: 'text/css',
  svg: 'image/svg+xml',
};

/** Serves the console from `dist` to every page of `context`. `foreign` collects what was asked of other origins. */
export async function installConsole(
  context: BrowserContext,
  dist: string,
  api: FakeApi,
): Promise<{ foreign: string[] }> {
  const foreign: string[] = [];
  await context.route('**/*', async (route) => {
    const url = new URL(route.request().url());
    if (url.origin !== ORIGIN) {
      foreign.push(url.href);
      return route.abort();
    }
    return url.pathname.startsWith('/api/') ? answer(route, url, api) : file(route, url, dist);
  });
  return { foreign };
}

async function answer(route: Route, url: URL, api: FakeApi): Promise<void> {
  if (!api.reachable) return route.abort();
  const request = route.request();
  const { status, body } = await api.answer(request.method(), url, request.postData());
  await route.fulfill({ status, contentType: 'application/json', body: body === null ? '' : JSON.stringify(body) });
}

async function file(route: Route, url: URL, dist: string): Promise<void> {
  const path = url.pathname === '/operator' ? 'operator.html' : url.pathname.slice(1);
  const headers = new Headers({ 'content-type': TYPES[path.split('.').at(-1) ?? ''] ?? 'application/octet-stream' });
  addSecurityHeaders(headers, new Request(url), false);
  try {
    await route.fulfill({ headers: Object.fromEntries(headers), body: await readFile(join(dist, path)) });
  } catch {
    await route.fulfill({ status: 404, body: '' });
  }
}

/** A whole session as a file, streamed: however long it is, one page is in memory. */
import { Hono } from 'hono';
import * as z from 'zod/mini';
import { exportJson, exportMarkdown, toByteStream } from '../history/export.ts';
import type { MessagePage, SessionSummary } from '../objects/session-rpc.ts';
import type { Message } from '../protocol/transcript.ts';
import { checkSessionId, requireUser } from './access.ts';
import { askSession } from './backends.ts';
import { readQuery } from './body.ts';
import type { AppEnv, ServerDeps } from './deps.ts';

/** Places of the log that one page covers, and so the most messages it can hold. */
const PAGE_SPAN = 200;

const exportQuery = z.object({ format: z._default(z.enum(['markdown', 'json']), 'markdown') });

const FORMATS = {
  markdown: { write: exportMarkdown, type: 'text/markdown; charset=utf-8', extension: 'md' },
  json: { write: exportJson, type: 'application/json', extension: 'json' },
} as const;

export function exportRoutes(deps: ServerDeps): Hono<AppEnv> {
  const app = new Hono<AppEnv>();

  app.get('/:id/export', async (c) => {
    const { user } = await requireUser(c.req.raw, deps);
    const id = checkSessionId(c.req.param('id'));
    const { format } = readQuery(c.req.raw, exportQuery);
    const { write, type, extension } = FORMATS[format];
    const readPage: PageReader = (page) =>
      askSession(deps, c.var.requestId, () => deps.session(id).messages(user, page));
    // Both asked before the response begins: after that a failure can only cut it off.
    const summary = await askSession(deps, c.var.requestId, () => deps.session(id).describe(user));
    const newest = await readPage({ limit: 1 });
    const lastSeq = newest.messages.at(-1)?.seq ?? 0;
    return c.body(toByteStream(write(summary, pagesOf(readPage, lastSeq))), 200, {
      'content-type': type,
      'content-disposition': disposition(summary, extension),
    });
  });

  return app;
}

type PageReader = (page: { before?: number; limit: number }) => Promise<MessagePage>;

/**
 * The messages up to `lastSeq`, oldest first. Pages are read from their end, and places are
 * numbered without gaps: so each span of the log is read backwards from the place after it, in as
 * many pages as its texts need, and what a page holds from earlier spans is left out.
 */
async function* pagesOf(readPage: PageReader, lastSeq: number): AsyncGenerator<Message[]> {
  for (let start = 1; start <= lastSeq; start += PAGE_SPAN) {
    const parts: Message[][] = [];
    let before: number | null = Math.min(start + PAGE_SPAN, lastSeq + 1);
    while (before !== null && before > start) {
      const page: MessagePage = await readPage({ before, limit: PAGE_SPAN });
      parts.push(page.messages.filter(({ seq }) => seq >= start));
      before = page.nextBefore;
    }
    yield parts.toReversed().flat();
  }
}

/** The title as a file name: plain for old clients, and as it is (RFC 6266). */
function disposition({ title, id }: SessionSummary, extension: string): string {
  // A title may have been cut in the middle of a character.
  const name =
    title
      .toWellFormed()
      .replace(/[\s\p{Cc}\p{Cf}/\\:*?"<>|]+/gu, ' ')
      .trim() || id;
  const plain = name.replace(/[^A-Za-z0-9 ._-]+/g, '_');
  const encoded = encodeURIComponent(name).replace(/['()*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`);
  return `attachment; filename="${plain}.${extension}"; filename*=UTF-8''${encoded}.${extension}`;
}

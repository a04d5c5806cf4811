/**
 * A whole session as a document, page by page: however long it is, only one page is in memory.
 * Both formats hold every message, withdrawn and replaced ones too, with what became of it.
 */
import type { BotMessage, Message } from '../protocol/transcript.ts';
import type { BotRef } from '../protocol/values.ts';
import { codeBlock, containMarkdown, escapeLine } from './markdown.ts';

const EXPORT_FORMAT = 'switchboard.session';
/** Grows when a reader of the JSON format would have to know of a change. */
const EXPORT_VERSION = 1;

/** What an export says of the session itself. Times in ms since 1970. */
export interface ExportedSession {
  id: string;
  bot: BotRef;
  title: string;
  archived: boolean;
  folder: string;
  createdAt: number;
}

/** Messages in the order of the log; each page as large as its reader likes. */
export type MessagePages = AsyncIterable<readonly Message[]>;

/**
 * `{format: "switchboard.session", version: 1, session, messages}`, one message per line.
 * @throws what `pages` throws; the document is then cut off and no valid JSON
 */
export async function* exportJson(session: ExportedSession, pages: MessagePages): AsyncGenerator<string> {
  const { id, bot, title, archived, folder, createdAt } = session;
  const head = JSON.stringify({
    format: EXPORT_FORMAT,
    version: EXPORT_VERSION,
    session: { id, bot, title, archived, folder, createdAt },
  });
  yield `${head.slice(0, -1)},"messages":[`;
  let separator = '\n';
  for await (const page of pages) {
    let chunk = '';
    for (const message of page) {
      chunk += separator + JSON.stringify(message);
      separator = ',\n';
    }
    if (chunk !== '') yield chunk;
  }
  yield '\n]}\n';
}

/**
 * Markdown to read: a heading per message with who, when, by which model and how it ended;
 * thinking folded away.
 * @throws what `pages` throws
 */
export async function* exportMarkdown(session: ExportedSession, pages: MessagePages): AsyncGenerator<string> {
  const { bot, title, createdAt } = session;
  yield `# ${escapeLine(title) || 'Untitled session'}\n\n${escapeLine(bot.name)} · ${escapeLine(bot.model)} · ${time(createdAt)}\n`;
  for await (const page of pages) {
    if (page.length > 0) yield page.map((message) => section(message, bot)).join('');
  }
}

/** The chunks as UTF-8, made as fast as they are read; the reader's cancelling ends the source too. */
export function toByteStream(chunks: AsyncGenerator<string>): ReadableStream<Uint8Array> {
  const encoder = new TextEncoder();
  return new ReadableStream({
    async pull(controller) {
      const { done, value } = await chunks.next();
      if (done) controller.close();
      else controller.enqueue(encoder.encode(value));
    },
    async cancel() {
      await chunks.return(undefined);
    },
  });
}

function section(message: Message, bot: BotRef): string {
  const who = message.role === 'user' ? 'You' : escapeLine(message.by?.name ?? bot.name);
  const model = message.role === 'bot' && message.model ? [escapeLine(message.model)] : [];
  const heading = [who, ...model, time(message.at), ...outcome(message)].join(' · ');
  const parts = [`\n## ${heading}\n`];
  if (message.role === 'bot') parts.push(...asides(message));
  if (message.text !== '') parts.push(`\n${containMarkdown(message.text)}\n`);
  return parts.join('');
}

/** How it ended, where that is not the ordinary way. */
function outcome(message: Message): string[] {
  if (message.role === 'bot' && message.finish === 'length') return [message.status, 'cut at the length limit'];
  return message.status === 'complete' || message.status === 'accepted' ? [] : [message.status];
}

function asides({ thinking, error }: BotMessage): string[] {
  const parts: string[] = [];
  if (error) parts.push(`\n> ${escapeLine(error.message)} (\`${error.code}\`)\n`);
  if (thinking) {
    parts.push(`\n<details>\n<summary>Thinking</summary>\n\n${codeBlock(thinking)}\n\n</details>\n`);
  }
  return parts;
}

function time(at: number): string {
  return new Date(at).toISOString();
}

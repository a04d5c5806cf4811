import { marked } from 'marked';
import { describe, expect, test } from 'vitest';
import { exportJson, exportMarkdown, toByteStream, type ExportedSession } from '../../src/history/export.ts';
import { containMarkdown } from '../../src/history/markdown.ts';
import type { Message } from '../../src/protocol/transcript.ts';

const session: ExportedSession = {
  id: 's1',
  bot: { id: 'helper', name: 'Helper', model: 'llama3.2:3b' },
  title: 'Fences & <script>alert(1)</script>\n# not a *heading*',
  archived: false,
  folder: 'work',
  createdAt: Date.UTC(2026, 0, 2, 3, 4, 5, 678),
};
const at = session.createdAt;
const usage = { promptTokens: 1, answerTokens: 2, firstTokenMs: 3, totalMs: 4 };
const user = (seq: number, text: string): Message => ({
  role: 'user',
  seq,
  turn: seq,
  id: `c${seq}`,
  text,
  at: at + seq * 1000,
  priority: 0,
  status: 'accepted',
});
const answer = { role: 'bot' as const, attempt: 1, model: 'llama3.2:3b' };

const messages: Message[] = [
  user(2, 'How do I print in Python?\r\nAnd <b>why</b> `<b>`?'),
  {
    ...answer,
    seq: 3,
    turn: 2,
    id: '2.1',
    at: at + 3000,
    status: 'superseded',
    text: 'Like so:\n\n```python\nprint("<b>")\n```\n\nDone.',
    finish: 'stop',
    usage,
  },
  {
    ...answer,
    seq: 5,
    turn: 2,
    id: '2.2',
    at: at + 5000,
    status: 'complete',
    thinking: 'They ask </details> about\n````\nprint',
    text: '1. First:\n\n   ```html\n   <p>never closed',
    finish: 'length',
    usage,
  },
  { ...user(6, 'never mind'), role: 'user', status: 'cancelled', priority: 0 },
  {
    role: 'bot',
    attempt: 1,
    seq: 8,
    turn: 7,
    id: '7.1',
    at: at + 8000,
    status: 'failed',
    text: '',
    error: { code: 'idle_timeout', message: 'Nothing came for 60 s.' },
  },
  { role: 'bot', attempt: 1, seq: 9, turn: 7, id: '7.2', at: at + 9000, status: 'stopped', text: 'Half <!-- of' },
  user(10, 'The last word is mine 日本 👩‍🚀'),
];

async function* pages(of: readonly Message[] = messages, size = 3): AsyncGenerator<Message[]> {
  for (let i = 0; i < of.length; i += size) yield of.slice(i, i + size);
}

async function whole(chunks: AsyncIterable<string>): Promise<string> {
  let text = '';
  for await (const chunk of chunks) text += chunk;
  return text;
}

describe('golden files', () => {
  test('markdown', async () => {
    await expect(await whole(exportMarkdown(session, pages()))).toMatchFileSnapshot('golden/session.md.txt');
  });
  test('json', async () => {
    await expect(await whole(exportJson(session, pages()))).toMatchFileSnapshot('golden/session.json.txt');
  });
});

describe('json', () => {
  test('holds every message as it is, in any page size', async () => {
    for (const size of [1, 2, 100]) {
      expect(JSON.parse(await whole(exportJson(session, pages(messages, size))))).toEqual({
        format: 'switchboard.session',
        version: 1,
        session,
        messages,
      });
    }
  });

  test('of an empty session is valid too', async () => {
    expect(JSON.parse(await whole(exportJson(session, pages([]))))).toMatchObject({ messages: [] });
  });

  test('names the session’s known fields only', async () => {
    const extended = { ...session, owner: 'private' };
    expect(await whole(exportJson(extended, pages()))).not.toContain('private');
  });
});

describe('markdown keeps each message in its place', () => {
  test('an answer stands under the name of the bot that gave it', async () => {
    const by = { id: 'poet', name: 'Poet', revision: 3 };
    const named: Message[] = [
      user(2, '@poet a rhyme'),
      {
        ...answer,
        by,
        seq: 3,
        turn: 2,
        id: '2.1',
        at,
        status: 'complete',
        text: 'Time, rhyme.',
        finish: 'stop',
        usage,
      },
    ];
    const text = await whole(exportMarkdown(session, pages(named)));
    expect(text.match(/^## .*/gm)).toEqual([expect.stringMatching(/^## You · /), expect.stringMatching(/^## Poet · /)]);
  });

  test('rendered, there is one heading per message, no HTML of theirs, and all code survives', async () => {
    const html = await marked.parse(await whole(exportMarkdown(session, pages())));
    expect(html.match(/<h1>/g)).toHaveLength(1);
    expect(html.match(/<h2>/g)).toHaveLength(messages.length);
    expect(html).not.toMatch(/<script|<b>|<!--|<p>never closed/);
    expect(html.match(/<details>/g)).toHaveLength(1);
    expect(html.match(/<\/details>/g)).toHaveLength(1);
    expect(html).toContain('print(&quot;&lt;b&gt;&quot;)');
    expect(html).toContain('&lt;p&gt;never closed');
  });

  test.each([
    ['a fence left open', 'x\n```js\ncode', 'x\n```js\ncode\n```'],
    ['a longer one', '````\n```\nstill code', '````\n```\nstill code\n````'],
    ['one of tildes', '~~~\n```\n', '~~~\n```\n\n~~~'],
    ['one in a list', '- a\n  ```\n  code', '- a\n  ```\n  code\n  ```'],
    ['one that is closed', '```\n<b>\n```\n<b>', '```\n<b>\n```\n\\<b>'],
    ['code in a line', 'a `<b>` ``<i>` `` <u>', 'a `<b>` ``<i>` `` \\<u>'],
    ['a lone backtick', 'a ` <b>', 'a ` \\<b>'],
    ['comparisons', 'a < b, c <= d, x<3', 'a < b, c <= d, x<3'],
    ['comments and instructions', '<!-- <?php </p>', '\\<!-- \\<?php \\</p>'],
  ])('%s', (_rule, text, expected) => {
    expect(containMarkdown(text)).toBe(expected);
  });
});

describe('streams', () => {
  test('are the same text as UTF-8', async () => {
    const bytes = await new Response(toByteStream(exportMarkdown(session, pages()))).text();
    expect(bytes).toBe(await whole(exportMarkdown(session, pages())));
  });

  test('read no page before it is wanted, and let go of the source when cancelled', async () => {
    let read = 0;
    let ended = false;
    async function* endless(): AsyncGenerator<Message[]> {
      try {
        for (;;) {
          read++;
          yield messages;
        }
      } finally {
        ended = true;
      }
    }
    const reader = toByteStream(exportJson(session, endless())).getReader();
    await reader.read();
    await reader.read();
    expect(read).toBeLessThan(4);
    await reader.cancel();
    expect(ended).toBe(true);
  });

  test('break when their source does, so that a cut export cannot pass for a whole one', async () => {
    async function* broken(): AsyncGenerator<Message[]> {
      yield messages;
      throw new Error('D1 is away');
    }
    await expect(new Response(toByteStream(exportJson(session, broken()))).text()).rejects.toThrow('D1 is away');
  });
});

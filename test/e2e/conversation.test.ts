/** A conversation through the whole house: what reaches the model, what every device sees, what a person may change. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import * as z from 'zod/mini';
import { checkHistory } from '../support/history-checker.ts';
import { expectedRows } from '../support/history-model.ts';
import { eventually, readLog, readPages, readRows } from '../support/observe.ts';
import { RealServer } from '../support/real-server.ts';
import type { ClientRecording } from '../support/recording.ts';
import type { User } from '../support/user.ts';

const SYSTEM_PROMPT = 'You are the lighthouse keeper. Answer briefly.';
const BOTS = [
  { id: 'small', name: 'Small', options: { num_ctx: 400, num_predict: 100 } },
  { id: 'thinker', name: 'Thinker', model: 'simulator-thinking', systemPrompt: '' },
];

let server: RealServer;
let user: User;

beforeAll(async () => {
  const variables = { SYSTEM_PROMPT, BOTS: JSON.stringify(BOTS) };
  server = await RealServer.start({ simulator: { tokens: 8, tokenMs: 2 }, variables });
  user = server.user();
  await user.session();
});
afterAll(() => server.close());

const asked = z.object({
  requests: z.array(
    z.object({
      path: z.string(),
      body: z.object({ model: z.string(), messages: z.array(z.object({ role: z.string(), content: z.string() })) }),
    }),
  ),
});

/** What the model was asked last with a question that holds `text`. */
async function promptWith(text: string): Promise<{ role: string; content: string }[]> {
  const response = await fetch(`${server.simulator.url}/simulator/requests?last=50`);
  const { requests } = asked.parse(await response.json());
  const request = requests.findLast(({ body }) => body.messages.at(-1)?.content.includes(text));
  if (!request) throw new Error(`the model was never asked: ${text}`);
  return request.body.messages;
}

/** Holds a session at rest against all rules, D1 included. */
async function expectSound(session: string, clients: readonly ClientRecording[]): Promise<void> {
  const log = await readLog(user, session);
  const wanted = expectedRows(log);
  const upToDate = (rows: readonly { rev: number }[]): boolean =>
    rows.length === wanted.length && rows.every(({ rev }, index) => rev === wanted[index]?.rev);
  const rows = await eventually(async () => readRows(await server.d1(), session), upToDate, 15_000);
  const pages = await readPages(user, session, 2);
  expect(checkHistory({ session, log, clients, atRest: true, rows, pages })).toEqual([]);
}

test.concurrent('the system prompt really reaches the model, with the conversation so far', async () => {
  const session = await user.session();
  await user.post(session, 'q1', 'First question, prompt test', 10);
  await user.post(session, 'q2', 'Second question, prompt test', 10);
  const prompt = await promptWith('Second question, prompt test');
  expect(prompt.map(({ role }) => role)).toEqual(['system', 'user', 'assistant', 'user']);
  expect(prompt[0]?.content).toBe(SYSTEM_PROMPT);
  expect(prompt[1]?.content).toBe('First question, prompt test');
  expect(prompt[2]?.content).toContain('Simulated answer');
});

test.concurrent('history is trimmed to the context of the model; the system prompt stays', async () => {
  const session = await user.session({ bot: 'small' });
  for (let count = 1; count <= 5; count += 1)
    await user.post(session, `q${count}`, `Trim ${count} ${'word '.repeat(60)}`, 10);
  const prompt = await promptWith('Trim 5');
  expect(prompt[0]).toEqual({ role: 'system', content: SYSTEM_PROMPT });
  const kept = prompt.filter(({ role }) => role === 'user').map(({ content }) => content.slice(0, 6));
  expect(kept.at(-1)).toBe('Trim 5');
  // Whole turns, the newest ones, without a gap.
  expect(kept).toEqual(['Trim 3', 'Trim 4', 'Trim 5'].slice(-kept.length));
  expect(kept.length).toBeLessThan(5);
});

test.concurrent('thinking comes on its own channel and never into the next prompt', async () => {
  const session = await user.session({ bot: 'thinker' });
  const wire = await user.join(session);
  const { seq } = await wire.ask('a', 'What do you think?');
  const reply = await wire.outcome(seq);
  expect(reply.thinking).toMatch(/^This is simulated thinking/);
  expect(reply.text).not.toContain('simulated thinking');
  expect(wire.joined(seq, 1, 'thinking')).toBe(reply.thinking);
  expect(wire.joined(seq, 1)).toBe(reply.text);
  await user.post(session, 'b', 'Thought enough?', 10);
  expect(JSON.stringify(await promptWith('Thought enough?'))).not.toContain('simulated thinking');
  await expectSound(session, [wire.recording]);
});

test.concurrent('S15, S16: two devices see the same, live', async () => {
  const session = await user.session();
  const phone = await user.join(session);
  const laptop = await user.join(session);
  const { seq } = await phone.ask('a', 'Hello from the phone 👩‍🚀 [[sim tokens=40 tokenMs=10 fault=split-utf8]]');
  await laptop.frame('delta');
  expect(laptop.events().some(({ kind }) => kind === 'reply')).toBe(false);
  const [one, two] = await Promise.all([phone.outcome(seq), laptop.outcome(seq)]);
  expect(two).toEqual(one);
  expect(laptop.joined(seq, 1)).toBe(one.text);
  expect(one.text).toContain('👩‍💻');
  await phone.frame('presence', ({ tabs }) => tabs === 2);
  laptop.send({ type: 'typing' });
  await phone.frame('presence', ({ typing }) => typing === true);
  laptop.drop();
  await phone.frame('presence', ({ tabs }) => tabs === 1, phone.received.length - 1);
  await expectSound(session, [phone.recording, laptop.recording]);
});

test.concurrent('S16: who comes back goes on at the exact character', async () => {
  const session = await user.session();
  const first = await user.join(session);
  const { seq: turn } = await first.ask('a', 'Tell me more 🙂 [[sim tokens=80 tokenMs=15 fault=split-utf8]]');
  await first.frame('delta', ({ offset }) => offset > 20);
  const read = first.joined(turn, 1);
  first.drop();
  const second = user.wire(session);
  const welcome = await second.hello({ seq: turn, turn, attempt: 1, offset: read.length });
  expect(welcome).toMatchObject({ reset: false, from: turn });
  const reply = await second.outcome(turn);
  const rest = second.received.flatMap((frame) => (frame.type === 'delta' ? [frame] : []));
  expect(rest[0]?.offset).toBe(read.length);
  expect(rest.reduce((text, { offset, text: piece }) => text.slice(0, offset) + piece, read)).toBe(reply.text);
  const connections = [...first.recording.connections, ...second.recording.connections];
  await expectSound(session, [{ name: 'one', connections }]);
});

test.concurrent('S12: stop ends the answer and really closes the request to the model', async () => {
  const session = await user.session();
  const wire = await user.join(session);
  const { seq } = await wire.ask('a', 'Never end [[sim tokens=2000 tokenMs=10]]');
  await wire.frame('delta', ({ turn }) => turn === seq);
  const before = server.simulator.stats().aborted;
  wire.send({ type: 'stop', turn: seq });
  const stopped = await wire.outcome(seq);
  expect(stopped).toMatchObject({ kind: 'stopped', text: wire.joined(seq, 1) });
  const aborted = await eventually(
    async () => server.simulator.stats().aborted,
    (count) => count > before,
    5_000,
  );
  expect(aborted).toBeGreaterThan(before);
  expect(await wire.refused({ type: 'stop', turn: seq })).toMatchObject({ code: 'not_running' });
  const next = await wire.ask('b', 'And on');
  expect(await wire.outcome(next.seq)).toMatchObject({ kind: 'reply' });
  await expectSound(session, [wire.recording]);
});

test.concurrent('S12: a disconnect is not a stop', async () => {
  const session = await user.session();
  const wire = await user.join(session);
  const { seq } = await wire.ask('a', 'Go on without me [[sim tokens=30 tokenMs=15]]');
  await wire.ask('b', 'And then this');
  await wire.frame('delta');
  wire.drop();
  // Looked at from outside, so that nobody wakes the session.
  const rows = await eventually(
    async () => readRows(await server.d1(), session),
    (all) => all.length === 4,
    15_000,
  );
  expect(rows.map(({ turn, status }) => [turn, status])).toEqual([
    [seq, 'accepted'],
    [seq + 2, 'accepted'],
    [seq, 'complete'],
    [seq + 2, 'complete'],
  ]);
});

test.concurrent('S9, S10: what waits can be edited and withdrawn, and priority goes first', async () => {
  const session = await user.session();
  const wire = await user.join(session);
  const other = await user.join(session);
  const runs = await wire.ask('runs', 'First [[sim tokens=2000 tokenMs=10]]');
  const edited = await wire.ask('edited', 'Second, before the edit');
  await wire.ask('gone', 'Third, to be withdrawn');
  const late = await wire.ask('late', 'Fourth');
  const urgent = await wire.ask('urgent', 'Fifth, and urgent', 2);
  expect(urgent.position).toBe(1);
  expect(await wire.refused({ type: 'edit', id: 'runs', text: 'x' })).toMatchObject({ code: 'not_queued' });
  other.send({ type: 'edit', id: 'edited', text: 'Second, after the edit' });
  await wire.event('edited');
  other.send({ type: 'cancel', id: 'gone' });
  await wire.event('cancelled');
  const queue = await other.frame('queue', ({ waiting }) => waiting.length === 3 && waiting[0]?.id === 'urgent');
  expect(queue.waiting.map(({ id }) => id)).toEqual(['urgent', 'edited', 'late']);
  wire.send({ type: 'stop', turn: runs.seq });
  await wire.event('reply', ({ turn }) => turn > runs.seq);
  await eventually(
    async () => wire.events().filter(({ kind }) => kind === 'reply').length,
    (count) => count === 3,
    10_000,
  );
  const order = wire.events().flatMap((event) => (event.kind === 'reply' ? [event.turn] : []));
  expect(order).toEqual([urgent.seq, edited.seq, late.seq]);
  expect((await promptWith('Second, after the edit')).at(-1)?.content).toBe('Second, after the edit');
  await expect(promptWith('Third, to be withdrawn')).rejects.toThrow('never asked');
  // S2: a late retransmission of the text before the edit is still recognised.
  const again = await wire.ask('edited', 'Second, before the edit');
  expect(again.id).toBe('edited');
  await expectSound(session, [wire.recording, other.recording]);
});

test.concurrent('S13: the last answer can be asked for again, but not by who has not seen the end', async () => {
  const session = await user.session();
  const wire = await user.join(session);
  const { seq: turn } = await wire.ask('a', 'Say it once more, please');
  const first = await wire.outcome(turn, 1);
  expect(await wire.refused({ type: 'regenerate', turn, baseSeq: turn })).toMatchObject({ code: 'stale_base' });
  wire.send({ type: 'regenerate', turn, baseSeq: first.seq });
  const second = await wire.outcome(turn, 2);
  expect(second).toMatchObject({ kind: 'reply', attempt: 2 });
  expect((await promptWith('Say it once more')).map(({ role }) => role)).toEqual(['system', 'user']);
  const pages = await readPages(user, session);
  expect(pages.map(({ status }) => status)).toEqual(['accepted', 'superseded', 'complete']);
  const next = await wire.ask('b', 'Thanks');
  await wire.outcome(next.seq);
  expect(await wire.refused({ type: 'regenerate', turn, baseSeq: next.seq + 1 })).toMatchObject({
    code: 'nothing_to_regenerate',
  });
  await expectSound(session, [wire.recording]);
});

test.concurrent('the client that the page uses: a reload in the middle of an answer, and a queue', async () => {
  const session = await user.session();
  const before = user.client(session, 'before');
  await before.client.send('A long story [[sim tokens=60 tokenMs=15 fault=split-utf8]]');
  await before.client.send('A short one');
  await eventually(
    async () => before.client.view,
    ({ running }) => (running?.text.length ?? 0) > 60,
    10_000,
  );
  before.client.close();
  const after = user.client(session, 'after');
  const view = await eventually(
    async () => after.client.view,
    ({ messages, queue }) => messages.filter(({ role }) => role === 'bot').length === 2 && !queue.running,
    15_000,
  );
  expect(view.messages.map(({ role, status }) => `${role} ${status}`)).toEqual([
    'user accepted',
    'user accepted',
    'bot complete',
    'bot complete',
  ]);
  after.client.close();
  await expectSound(session, [before.recording, after.recording]);
});

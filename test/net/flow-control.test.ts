/**
 * S17, over real sockets: a reader that stops reading costs the server one window and nobody else
 * anything, and when it reads again it is where everybody is.
 */
import { afterAll, beforeAll, expect, test } from 'vitest';
import {
  CREDIT_STEP_BYTES,
  CREDIT_WINDOW_BYTES,
  PING_INTERVAL_MS,
  PROTOCOL_VERSION,
} from '../../src/protocol/limits.ts';
import { PING_TEXT, type ServerFrame, type ServerFrameOf } from '../../src/protocol/server-frames.ts';
import { checkHistory } from '../support/history-checker.ts';
import { readLog } from '../support/observe.ts';
import { RealServer } from '../support/real-server.ts';
import { TcpProxy } from '../support/tcp-proxy.ts';
import { User } from '../support/user.ts';
import type { Wire } from '../support/wire.ts';
import { childrenNamed, residentBytes } from './process-memory.ts';
import { pause, until } from './traveller.ts';

const MEGABYTE = 1024 * 1024;
/** An answer as long as answers get, nearly; on the wire twice, as a piece and as the reply. */
const LONG_ANSWER = 250_000;
const LONG = `Everything, please [[sim tokens=1 fault=huge:${LONG_ANSWER}]]`;

let server: RealServer;
/** The runtime's process; none where that cannot be known. */
let runtime: number | undefined;

beforeAll(async () => {
  const before = process.platform === 'linux' ? childrenNamed('workerd') : [];
  server = await RealServer.start();
  const after = process.platform === 'linux' ? childrenNamed('workerd') : [];
  runtime = after.find((pid) => !before.includes(pid));
});
afterAll(() => server.close());

/** A session with a reader of its own, and readers whose network the test decides. */
async function readers(count: number): Promise<{
  user: User;
  session: string;
  /** The same person, by the broken way. */
  through: User;
  proxy: TcpProxy;
  healthy: Wire;
  stalled: Wire[];
}> {
  const user = server.user();
  const session = await user.session();
  const proxy = await TcpProxy.forTest(server.baseUrl);
  const through = new User(() => proxy.url);
  through.cookie = user.cookie;
  const healthy = await user.join(session);
  const stalled: Wire[] = [];
  for (let index = 0; index < count; index += 1) stalled.push(await through.join(session));
  return { user, session, through, proxy, healthy, stalled };
}

/** Asks for long answers one after the other, and reads them in the healthy tab. */
async function longAnswers(healthy: Wire, count: number): Promise<void> {
  for (let index = 0; index < count; index += 1) {
    const { seq } = await healthy.ask(`long-${healthy.received.length}`, LONG);
    const { text } = await healthy.outcome(seq);
    expect(text).toHaveLength(LONG_ANSWER);
    expect(healthy.joined(seq, 1)).toBe(text);
  }
}

function isPieceOf(frame: ServerFrame, turn: number): frame is ServerFrameOf<'delta'> {
  return frame.type === 'delta' && frame.turn === turn;
}

const isTyping = (frame: ServerFrame): boolean => frame.type === 'presence' && frame.typing === true;

const receivedLength = ({ recording }: Wire): number =>
  recording.connections
    .flatMap(({ frames }) => frames)
    .reduce((sum, { from, length }) => sum + (from === 'server' ? length : 0), 0);

test('the process does not grow with readers that stop reading; it does with those that lie about it', async (context) => {
  const pid = runtime;
  if (pid === undefined) return context.skip('the memory of a process is read from /proc');
  const tabs = 30;
  const answers = 30;
  const { session, through, proxy, healthy } = await readers(0);
  await longAnswers(healthy, answers);
  const stalled = await Promise.all(Array.from({ length: tabs }, () => through.wire(session).opened()));
  proxy.set({ paused: true }, 'down');
  // What does not even ping is not slow but gone.
  const pings = setInterval(() => {
    for (const wire of [healthy, ...stalled]) wire.raw(PING_TEXT);
  }, PING_INTERVAL_MS);
  context.onTestFinished(() => clearInterval(pings));

  async function grownMegabytes(say: (wire: Wire) => void): Promise<number> {
    const before = residentBytes(pid ?? 0);
    const mark = healthy.received.length;
    for (const wire of stalled) {
      say(wire);
      wire.send({ type: 'typing' });
    }
    // The others are told of it once all before it was dealt with.
    await until('all dealt with', () => healthy.received.slice(mark).filter(isTyping).length === tabs, 40_000);
    return (residentBytes(pid ?? 0) - before) / MEGABYTE;
  }

  // Every tab asks for the whole log, and reads none of it; then says that it did.
  const honest = await grownMegabytes((wire) => wire.send({ type: 'hello', protocol: PROTOCOL_VERSION, seq: 0 }));
  const lying = await grownMegabytes((wire) => {
    for (let credits = 0; credits < 2 * answers; credits += 1) {
      wire.send({ type: 'credit', bytes: CREDIT_WINDOW_BYTES });
    }
  });
  const asked = (tabs * answers * LONG_ANSWER) / MEGABYTE;
  console.log(
    `${tabs} tabs asked for ${asked.toFixed()} MB and read none: ` +
      `grown by ${honest.toFixed()} MB, by ${lying.toFixed()} MB more when they say they did`,
  );
  expect(honest).toBeLessThan(asked / 4);
  // Else the bound above would prove nothing. What the kernel's buffers hold is not the process's.
  expect(lying).toBeGreaterThan(asked / 3);
  for (const wire of [healthy, ...stalled]) wire.drop();
}, 90_000);

test('who reads again gets the records it lacks and one piece with all of the answer so far; the others never know', async () => {
  const { user, session, proxy, healthy, stalled } = await readers(1);
  const [reader] = stalled;
  if (!reader) throw new Error('no reader');
  proxy.set({ paused: true }, 'down');
  // More than a window, so that nothing more goes to who does not read.
  await longAnswers(healthy, 1);
  const { seq } = await healthy.ask('story', 'A story [[sim tokens=3000 tokenMs=1]]');
  const pieces = (wire: Wire) => wire.received.flatMap((frame) => (isPieceOf(frame, seq) ? [frame] : []));
  await until('most of the story', () => healthy.joined(seq, 1).length > 5_000);
  expect(pieces(healthy).length).toBeGreaterThan(20);
  expect(pieces(reader)).toEqual([]);

  const shown = healthy.joined(seq, 1).length;
  await proxy.heal();
  await until('read again', () => pieces(reader).length > 0);
  const { text } = await reader.outcome(seq);
  const [snapshot, next] = pieces(reader);
  expect(snapshot).toMatchObject({ offset: 0 });
  expect(snapshot?.text.length).toBeGreaterThanOrEqual(shown);
  expect(next?.offset).toBe(snapshot?.text.length);
  expect(reader.joined(seq, 1)).toBe(text);
  await healthy.outcome(seq);
  expect(healthy.joined(seq, 1)).toBe(text);
  // Both have the whole log, as the checker holds, in order.
  expect(reader.events().map((event) => event.seq)).toEqual(healthy.events().map((event) => event.seq));
  const log = await readLog(user, session);
  const clients = [reader.recording, healthy.recording];
  expect(checkHistory({ session, log, clients, atRest: true, rows: null, pages: null })).toEqual([]);
});

test('who reads again when it is all over gets the log and not a piece more', async () => {
  const { proxy, healthy, stalled } = await readers(1);
  const [reader] = stalled;
  proxy.set({ paused: true }, 'down');
  await longAnswers(healthy, 2);
  const { seq } = await healthy.ask('story', 'A story [[sim tokens=300 tokenMs=1]]');
  const { text } = await healthy.outcome(seq);
  await proxy.heal();
  expect(await reader?.outcome(seq)).toMatchObject({ text });
  expect(reader?.received.filter((frame) => isPieceOf(frame, seq))).toEqual([]);
});

test('who returns no credit is sent one window; credit that lies buys no more than one more', async () => {
  const { healthy, stalled } = await readers(1);
  const [mute] = stalled;
  if (!mute) throw new Error('no reader');
  mute.credits = false;
  await longAnswers(healthy, 4);
  const settled = async (): Promise<number> => {
    await pause(150);
    return receivedLength(mute);
  };
  const first = await settled();
  // It was sent as much as it may be, and one frame less would have been too little.
  expect(first).toBeLessThanOrEqual(CREDIT_WINDOW_BYTES);
  expect(first).toBeGreaterThan(CREDIT_WINDOW_BYTES - CREDIT_STEP_BYTES);
  for (const bytes of ['0', '-1', '-262144', '1.5', '1e300', 'null', '"9"', '[]']) {
    expect(await mute.refused(`{"type":"credit","bytes":${bytes}}`)).toMatchObject({ code: 'bad_frame' });
  }
  const refusals = await settled();
  // Refused means nothing came of it but the refusals.
  expect(refusals - first).toBeLessThan(8 * 200);
  mute.send({ type: 'credit', bytes: Number.MAX_SAFE_INTEGER });
  const second = await settled();
  expect(second - refusals).toBeGreaterThan(0);
  expect(second - refusals).toBeLessThanOrEqual(CREDIT_WINDOW_BYTES);
  // Nothing was banked: without more credit there is nothing more.
  expect(await settled()).toBe(second);
});

test('S17: credit always counts, in however small pieces it is returned', async () => {
  const { healthy, stalled } = await readers(1);
  const [reader] = stalled;
  if (!reader) throw new Error('no reader');
  reader.credits = false;
  await longAnswers(healthy, 3);
  const { text, seq } = await healthy.outcome(healthy.events().findLast(({ kind }) => kind === 'message')?.seq ?? 0);
  // More frames at once than a tab may send otherwise.
  for (let piece = 0; piece < 6_000; piece += 1) reader.send({ type: 'credit', bytes: 512 });
  expect(await reader.event('reply', (event) => event.seq === seq)).toMatchObject({ text });
  expect(reader.received.filter(({ type }) => type === 'error')).toEqual([]);
});

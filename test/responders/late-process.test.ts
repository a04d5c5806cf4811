/** How many reads an answer takes while, and after, its process was late: a small process in simulated time. */
import { expect, test } from 'vitest';
import { ReadPace } from '../../src/responders/read-pace.ts';

/** What the model sends: a token of so many bytes every so many ms, with its own account at the end. */
const TOKENS = 20;
const TOKEN_BYTES = 110;
const TOKEN_MS = 10;
/** What the process spends: on a turn beside its reads, and on each read. Five reads an answer fit, twenty do not. */
const TURN_MS = 3;
const READ_MS = 0.4;
const TURNS_PER_SECOND = 170;
/** How long it stands still. */
const STALL_MS = 1_000;

interface Stream {
  pace: ReadPace;
  openedAt: number;
  /** Tokens that were read, in so many reads, and those that will have been after the next one. */
  taken: number;
  reads: number;
  next: number;
  readyAt: number;
}

interface Answer {
  endedAt: number;
  /** From its beginning to its end, in ms. */
  tookMs: number;
  reads: number;
}

/** Runs for `seconds`, of which the process stands still from `stallsAt` on; returns the answers by their ends. */
function run(source: string, seconds: number, stallsAt: number): Answer[] {
  let now = 0;
  let opened = 0;
  const streams = new Set<Stream>();
  const answers: Answer[] = [];

  const ask = (stream: Stream): void => {
    stream.next = Math.min(TOKENS, stream.taken + Math.ceil(stream.pace.minBytes() / TOKEN_BYTES));
    stream.readyAt = Math.max(now, stream.openedAt + stream.next * TOKEN_MS);
  };
  const open = (): void => {
    opened += 1;
    now += TURN_MS;
    const stream = { pace: new ReadPace(source, () => now), openedAt: now, taken: 0, reads: 0, next: 0, readyAt: 0 };
    streams.add(stream);
    ask(stream);
  };
  const read = (stream: Stream): void => {
    now += READ_MS;
    stream.reads += 1;
    stream.pace.took((stream.next - stream.taken) * TOKEN_BYTES);
    stream.taken = stream.next;
    if (stream.taken < TOKENS) return ask(stream);
    stream.pace.ended((TOKENS - 1) * TOKEN_MS);
    stream.pace.close();
    streams.delete(stream);
    answers.push({ endedAt: now, tookMs: now - stream.openedAt, reads: stream.reads });
  };

  while (now < seconds * 1_000) {
    if (now >= stallsAt && now < stallsAt + STALL_MS) now = stallsAt + STALL_MS;
    // Whatever is ready is served, each once a round, as an event loop does.
    const ready = [...streams].filter(({ readyAt }) => readyAt <= now);
    while (opened < (now / 1_000) * TURNS_PER_SECOND) open();
    for (const stream of ready) read(stream);
    if (ready.length === 0) now += 1;
  }
  for (const { pace } of streams) pace.close();
  return answers;
}

test('a process that was late for a second reads in large pieces meanwhile, and is soon on time again', () => {
  const answers = run('late', 10, 2_000);
  const mean = (of: 'reads' | 'tookMs', from: number, to: number): number => {
    const some = answers.filter(({ endedAt }) => endedAt >= from && endedAt < to);
    return some.reduce((sum, answer) => sum + answer[of], 0) / some.length;
  };
  expect(mean('reads', 1_000, 2_000)).toBeLessThan(6);
  expect(mean('reads', 3_000, 6_000)).toBeLessThan(6);
  expect(mean('reads', 8_000, 10_000)).toBeLessThan(6);
  expect(mean('tookMs', 8_000, 10_000)).toBeLessThan(1.5 * TOKENS * TOKEN_MS);
  expect(answers.length).toBeGreaterThan(9.5 * TURNS_PER_SECOND);
});

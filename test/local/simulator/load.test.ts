/** Slots, queue, pace: what many clients at once see. */
import { afterEach, expect, test, vi } from 'vitest';
import { startSimulator } from '../../../src/local/simulator/server.ts';
import type { Simulator, SimulatorOptions } from '../../../src/local/simulator/server.ts';
import { chat, raw } from './raw.ts';
import type { RawAnswer } from './raw.ts';

const running: Simulator[] = [];
afterEach(async () => {
  await Promise.all(running.splice(0).map((simulator) => simulator.close()));
});

async function start(options: SimulatorOptions): Promise<Simulator> {
  const simulator = await startSimulator(options);
  running.push(simulator);
  return simulator;
}

function ask(simulator: Simulator, settings: Readonly<Record<string, unknown>> = {}): Promise<RawAnswer> {
  return raw(simulator.url, { body: chat(settings) });
}

test('parallel: 2 never runs three', async () => {
  const simulator = await start({ parallel: 2, tokenMs: 10 });
  for (const answer of await Promise.all(Array.from({ length: 6 }, () => ask(simulator)))) {
    expect(answer.lines).toHaveLength(7);
  }
  expect(simulator.stats()).toMatchObject({ maxInFlight: 2, completed: 6, aborted: 0 });
  expect(simulator.stats().maxQueued).toBeGreaterThanOrEqual(1);
});

test('those who wait are served in the order they came', async () => {
  const simulator = await start({ parallel: 1, tokenMs: 10 });
  const finished: number[] = [];
  const answers: Promise<unknown>[] = [];
  for (let index = 0; index < 4; index += 1) {
    answers.push(ask(simulator).then(() => finished.push(index)));
    await vi.waitFor(() => expect(simulator.stats().generations).toBe(index + 1), { interval: 1 });
  }
  await Promise.all(answers);
  expect(finished).toEqual([0, 1, 2, 3]);
});

test('a full queue is a 503 in the words of Ollama', async () => {
  const simulator = await start({ parallel: 1, maxQueue: 1, fault: 'stall@1' });
  void ask(simulator);
  await vi.waitFor(() => expect(simulator.stats().inFlight).toBe(1));
  void ask(simulator);
  await vi.waitFor(() => expect(simulator.stats().queued).toBe(1));
  const refused = await ask(simulator);
  expect([refused.status, JSON.parse(refused.body)]).toEqual([
    503,
    { error: 'server busy, please try again.  maximum pending requests exceeded' },
  ]);
  expect(simulator.stats().rejected).toBe(1);
});

test('a client that leaves the queue gives up its place, one that leaves its slot frees it', async () => {
  const simulator = await start({ parallel: 1, fault: 'stall@1' });
  const leaveFirst = new AbortController();
  const leaveSecond = new AbortController();
  void raw(simulator.url, { body: chat({}), leave: leaveFirst.signal });
  await vi.waitFor(() => expect(simulator.stats().inFlight).toBe(1));
  void raw(simulator.url, { body: chat({}), leave: leaveSecond.signal });
  await vi.waitFor(() => expect(simulator.stats().queued).toBe(1));
  const third = ask(simulator, { fault: 'none' });
  await vi.waitFor(() => expect(simulator.stats().queued).toBe(2));
  leaveSecond.abort();
  await vi.waitFor(() => expect(simulator.stats()).toMatchObject({ queued: 1, aborted: 1, inFlight: 1 }));
  leaveFirst.abort();
  expect((await third).lines).toHaveLength(7);
  expect(simulator.stats()).toMatchObject({ aborted: 2, completed: 1, maxInFlight: 1 });
});

test('firstTokenMs and tokenMs are kept', async () => {
  const simulator = await start({ tokens: 20, firstTokenMs: 100, tokenMs: 10 });
  const startMs = performance.now();
  const answer = await raw(simulator.url, { body: { model: 'simulator', messages: [{ role: 'user', content: 'x' }] } });
  const tookMs = performance.now() - startMs;
  expect(answer.firstByteMs).toBeGreaterThanOrEqual(98);
  expect(tookMs).toBeGreaterThanOrEqual(285);
  expect(tookMs).toBeLessThan(800);
  expect(answer.writes.length).toBeGreaterThan(8);
});

test('300 paced streams keep their time together', async () => {
  const simulator = await start({ tokens: 30, tokenMs: 10 });
  const startMs = performance.now();
  const answers = await Promise.all(Array.from({ length: 300 }, () => ask(simulator, { tokens: 30 })));
  const tookMs = performance.now() - startMs;
  for (const answer of answers) expect(answer.lines).toHaveLength(31);
  expect(simulator.stats()).toMatchObject({ completed: 300, tokens: 9_000, inFlight: 0 });
  // 290 ms by the clock; the margin is for a busy machine, not for a slow ticker.
  expect(tookMs).toBeLessThan(2_500);
});

test('at full speed an answer is one write; tokensPerWrite and tokensPerChunk make it more or fewer lines', async () => {
  const simulator = await start({});
  expect((await ask(simulator)).writes).toHaveLength(1);
  expect((await ask(simulator, { tokensPerWrite: 2 })).writes).toHaveLength(4);
  const chunked = await ask(simulator, { tokensPerChunk: 4 });
  expect(chunked.lines).toHaveLength(3);
  expect(JSON.parse(chunked.lines.at(-1) ?? '')).toMatchObject({ eval_count: 6 });
});

test('a client that does not read is waited for', async () => {
  const simulator = await start({});
  const response = await fetch(`${simulator.url}/api/chat`, {
    method: 'POST',
    body: JSON.stringify(chat({ tokens: 100_000, tokensPerWrite: 100 })),
  });
  await new Promise((resolve) => setTimeout(resolve, 200));
  const { tokens, inFlight } = simulator.stats();
  expect(inFlight).toBe(1);
  expect(tokens).toBeLessThan(90_000);
  const text = await response.text();
  expect(text.match(/\n/g)).toHaveLength(100_001);
});

test('close ends open answers and frees the port', async () => {
  const simulator = await startSimulator({ fault: 'stall@1' });
  const answer = ask(simulator);
  await vi.waitFor(() => expect(simulator.stats().inFlight).toBe(1));
  await simulator.close();
  expect((await answer).ending).not.toBe('complete');
  const again = await start({ port: simulator.port });
  expect(again.port).toBe(simulator.port);
});

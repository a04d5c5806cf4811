import { beforeEach, expect, it, onTestFinished, vi } from 'vitest';
import { everyHour } from '../../src/local/clock.ts';

const HOUR_MS = 60 * 60_000;

let said: string[] = [];
beforeEach(() => {
  vi.useFakeTimers();
  said = [];
  vi.spyOn(console, 'error').mockImplementation((line) => void said.push(String(line)));
  return () => {
    vi.useRealTimers();
    vi.restoreAllMocks();
  };
});

function clock(scheduled: () => Promise<{ outcome: string }>): () => void {
  const stop = everyHour(scheduled);
  onTestFinished(stop);
  return stop;
}

it('B29: goes off at the start and by the hour, until it is stopped', async () => {
  const scheduled = vi.fn(async () => ({ outcome: 'ok' }));
  const stop = clock(scheduled);
  expect(scheduled).toHaveBeenCalledTimes(1);
  await vi.advanceTimersByTimeAsync(HOUR_MS - 1);
  expect(scheduled).toHaveBeenCalledTimes(1);
  await vi.advanceTimersByTimeAsync(1 + HOUR_MS);
  expect(scheduled).toHaveBeenCalledTimes(3);
  stop();
  await vi.advanceTimersByTimeAsync(5 * HOUR_MS);
  expect(scheduled).toHaveBeenCalledTimes(3);
  expect(said).toEqual([]);
});

it('says what failed, and tries again in the next hour', async () => {
  const scheduled = vi
    .fn(async () => ({ outcome: 'ok' }))
    .mockRejectedValueOnce(new Error('no runtime'))
    .mockResolvedValueOnce({ outcome: 'exception' });
  clock(scheduled);
  await vi.advanceTimersByTimeAsync(2 * HOUR_MS);
  expect(scheduled).toHaveBeenCalledTimes(3);
  expect(said).toEqual([expect.stringContaining('no runtime'), expect.stringContaining('exception')]);
});

it('says nothing of what the end of the server cut off', async () => {
  let cutOff: (error: Error) => void = () => undefined;
  const stop = clock(() => new Promise((_, reject) => void (cutOff = reject)));
  stop();
  cutOff(new Error('Cannot use disposed instance'));
  await vi.advanceTimersByTimeAsync(0);
  expect(said).toEqual([]);
});

it('keeps no process alive', () => {
  vi.useRealTimers();
  const timer = setInterval(() => undefined, HOUR_MS);
  onTestFinished(() => clearInterval(timer));
  const interval = vi.spyOn(globalThis, 'setInterval').mockReturnValue(timer);
  clock(async () => ({ outcome: 'ok' }));
  expect(interval).toHaveBeenCalledOnce();
  expect(timer.hasRef()).toBe(false);
});

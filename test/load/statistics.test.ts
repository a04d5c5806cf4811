/** What the lab works figures out with, against examples that can be worked out by hand. */
import { beforeEach, afterEach, describe, expect, test, vi } from 'vitest';
import { linearFit } from '../../load/statistics.ts';
import { heldMs, Hold } from '../workers/support/hold.ts';

describe('a straight line', () => {
  const fit = linearFit([
    [1, 2],
    [2, 4],
    [3, 5],
    [4, 4],
    [5, 5],
  ]);

  test('through five points is known as badly as three degrees of freedom say', () => {
    expect(fit?.slope).toBeCloseTo(0.6);
    expect(fit?.intercept).toBeCloseTo(2.2);
    expect(fit?.slopeError).toBeCloseTo(3.18 * Math.sqrt(0.8 / 10));
  });

  test('says less of a further point than of itself, and least far away', () => {
    expect(fit?.errorAt(3)).toBeCloseTo(3.18 * Math.sqrt(0.8 * 1.2));
    expect(fit?.errorAt(13)).toBeCloseTo(3.18 * Math.sqrt(0.8 * 11.2));
  });

  test('through two points, or above one place, is none', () => {
    expect(
      linearFit([
        [1, 2],
        [2, 4],
      ]),
    ).toBeNull();
    expect(
      linearFit([
        [1, 2],
        [1, 4],
        [1, 5],
      ]),
    ).toBeNull();
  });
});

describe('how long objects are kept from sleeping', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  test('calls at once count once, those of another object by themselves, and what goes on counts up to now', async () => {
    const before = heldMs();
    const [one, other] = [new Hold(), new Hold()];
    const wait = (ms: number) => () => new Promise((resolve) => void setTimeout(resolve, ms));
    void one.during(wait(100));
    void one.during(wait(300));
    void other.during(wait(1_000));
    await vi.advanceTimersByTimeAsync(400);
    expect(heldMs() - before).toBe(300 + 400);
    await vi.advanceTimersByTimeAsync(1_000);
    expect(heldMs() - before).toBe(300 + 1_000);
  });

  test('work that an object looks after by itself keeps it from its beginning to its end, failed calls until they fail', async () => {
    const before = heldMs();
    const hold = new Hold();
    hold.working(true);
    hold.working(true);
    expect(() =>
      hold.during(() => {
        throw new Error('refused');
      }),
    ).toThrow('refused');
    await vi.advanceTimersByTimeAsync(1_200);
    hold.working(false);
    hold.working(false);
    await vi.advanceTimersByTimeAsync(5_000);
    expect(heldMs() - before).toBe(1_200);
  });
});

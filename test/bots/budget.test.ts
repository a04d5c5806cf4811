import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isUsedUp, tokensAfter, TurnRate } from '../../src/bots/budget.ts';

const START = 1_700_000_000_000;

describe('B17: turns per minute', () => {
  it('are free again a minute after they were begun', () => {
    const rate = new TurnRate();
    rate.begun(START);
    rate.begun(START + 10_000);
    expect(rate.waitMs(3, START + 10_000)).toBe(0);
    const waitMs = rate.waitMs(2, START + 10_000);
    expect(waitMs).toBe(50_000);
    expect(rate.waitMs(2, START + 10_000 + waitMs)).toBe(0);
    expect(rate.waitMs(1, START + 60_000)).toBe(10_000);
    expect(rate.waitMs(1, START + 10 * 60_000)).toBe(0);
  });

  it('are the same as they were kept, but for what a clock that ran ahead has made of them', () => {
    const rate = new TurnRate();
    rate.begun(START);
    rate.begun(START + 30_000);
    const kept: unknown = JSON.parse(JSON.stringify(rate.kept()));
    const later = (now: number): TurnRate => new TurnRate(kept as ReturnType<TurnRate['kept']>, now);
    expect(later(START + 40_000).waitMs(2, START + 40_000)).toBe(20_000);
    expect(later(START + 60_000).waitMs(2, START + 60_000)).toBe(0);
    expect(later(START + 60_000).waitMs(1, START + 60_000)).toBe(30_000);
    expect(later(START + 3_600_000).waitMs(1, START + 3_600_000)).toBe(0);
    expect(later(START - 3_600_000).waitMs(1, START - 3_600_000)).toBe(0);
  });

  it('are never more than the budget in any minute, to the second; the wait that is told is enough', () => {
    const turn = fc.nat(8_000);
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 6 }), fc.array(turn, { maxLength: 60 }), (perMinute, gaps) => {
        const rate = new TurnRate();
        const begun: number[] = [];
        let now = START;
        for (const gap of gaps) {
          now += gap;
          const waitMs = rate.waitMs(perMinute, now);
          if (waitMs > 0) {
            expect(waitMs).toBeLessThanOrEqual(60_000);
            expect(rate.waitMs(perMinute, now + waitMs)).toBeLessThan(60_000);
            now += waitMs;
          }
          if (rate.waitMs(perMinute, now) > 0) continue;
          rate.begun(now);
          begun.push(now);
          const inMinute = begun.filter((at) => at > now - 59_000);
          expect(inMinute.length).toBeLessThanOrEqual(perMinute);
        }
      }),
    );
  });
});

describe('B17: tokens per day', () => {
  const day = Date.UTC(2026, 0, 2);

  it('are counted until midnight UTC', () => {
    const used = tokensAfter(tokensAfter({ day: 0, used: 0 }, 60, day + 1), 40, day + 86_399_999);
    expect(isUsedUp(used, 101, day + 86_399_999)).toBe(false);
    expect(isUsedUp(used, 100, day + 86_399_999)).toBe(true);
    expect(isUsedUp(used, 100, day + 86_400_000)).toBe(false);
    expect(tokensAfter(used, 5, day + 86_400_000).used).toBe(5);
  });
});

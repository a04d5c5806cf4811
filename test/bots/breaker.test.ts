import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { breakerAfter, CLOSED, mayBegin, type Breaker, type BreakerEvent } from '../../src/bots/breaker.ts';
import { TURN_ERRORS } from '../../src/protocol/codes.ts';

const fail = (code: (typeof TURN_ERRORS)[number] = 'endpoint_error', session = 's'): BreakerEvent => ({
  type: 'turn_failed',
  code,
  session,
});
const after = (events: readonly BreakerEvent[], from: Breaker = CLOSED, now = 1_000): Breaker =>
  events.reduce((breaker, event) => breakerAfter(breaker, event, now), from);
const times = (count: number, event: BreakerEvent): BreakerEvent[] => Array.from({ length: count }, () => event);

describe('B20: the breaker', () => {
  it('opens at the fifth failure in a row, not at the fourth', () => {
    expect(after(times(4, fail())).state).toBe('closed');
    expect(after(times(5, fail())).state).toBe('open');
  });

  it('begins to count anew after a success', () => {
    expect(after([...times(4, fail()), { type: 'turn_succeeded' }, ...times(4, fail())]).state).toBe('closed');
  });

  it('does not count what is not the endpoint speaking', () => {
    for (const code of ['model_not_found', 'model_error', 'bot_stopped', 'line_full', 'interrupted'] as const) {
      expect(after(times(20, fail(code))).state).toBe('closed');
    }
  });

  it('opens at the second failed probe in a row', () => {
    const dead: BreakerEvent = { type: 'probe_failed' };
    expect(after([dead, { type: 'probe_answered' }, dead]).state).toBe('closed');
    expect(after([dead, dead])).toMatchObject({ state: 'open', deaf: true });
  });

  it('closes at the first answered probe when it was probes that were not answered', () => {
    const open = after(times(2, { type: 'probe_failed' }));
    expect(after([{ type: 'probe_answered' }], open)).toEqual(CLOSED);
    // Also when turns failed first and probes after them.
    const both = after([...times(5, fail()), { type: 'probe_failed' }]);
    expect(after([{ type: 'probe_answered' }], both)).toEqual(CLOSED);
  });

  it('lets one turn through, after a pause, when probes were answered all the while', () => {
    const open = after(times(5, fail()));
    expect(after([{ type: 'probe_answered' }], open, 1_999).state).toBe('open');
    const half = after([{ type: 'probe_answered' }], open, 2_000);
    expect(half.state).toBe('half-open');
    expect(mayBegin(half, 'a', 2_000)).toBe(true);
    const tried = after([{ type: 'turn_begun', session: 'a' }], half, 2_000);
    expect([mayBegin(tried, 'a', 2_001), mayBegin(tried, 'b', 2_001)]).toEqual([true, false]);
    expect(after([{ type: 'turn_progressed', session: 'a' }], tried, 2_100)).toEqual(CLOSED);
    expect(after([{ type: 'turn_succeeded' }], tried, 2_100)).toEqual(CLOSED);
  });

  it('opens for twice as long when the trial fails, up to 30 s', () => {
    let breaker = after(times(5, fail()));
    let now = 1_000;
    const pauses: number[] = [];
    for (let trial = 0; trial < 8; trial += 1) {
      pauses.push(breaker.retryAt - now);
      now = breaker.retryAt;
      breaker = after([{ type: 'probe_answered' }, { type: 'turn_begun', session: 'a' }, fail()], breaker, now);
      expect(breaker.state).toBe('open');
    }
    expect(pauses).toEqual([1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000, 30_000]);
  });

  it('tries another one when the trial was lost, or said nothing about the endpoint', () => {
    const open = after(times(5, fail()));
    const tried = after([{ type: 'probe_answered' }, { type: 'turn_begun', session: 'a' }], open, 3_000);
    expect(mayBegin(tried, 'b', 8_000)).toBe(false);
    expect(mayBegin(tried, 'b', 8_001)).toBe(true);
    expect(mayBegin(after([{ type: 'turn_left', session: 'a' }], tried, 3_001), 'b', 3_001)).toBe(true);
    expect(mayBegin(after([fail('model_error', 'a')], tried, 3_001), 'b', 3_001)).toBe(true);
    expect(mayBegin(after([{ type: 'turn_left', session: 'x' }], tried, 3_001), 'b', 3_001)).toBe(false);
  });
});

describe('B21: an answer that goes on', () => {
  const deaf = after(times(2, { type: 'probe_failed' }), CLOSED, 1_000);
  const progress: BreakerEvent = { type: 'turn_progressed', session: 'x' };

  it('closes a breaker that only probes had opened, once it is surely younger than that', () => {
    expect(after([progress], deaf, 2_200).state).toBe('open');
    expect(after([progress], deaf, 2_201)).toEqual(CLOSED);
  });

  it('says nothing for an endpoint that refuses new ones', () => {
    const open = after(times(5, fail()));
    expect(after([progress], open, 60_000).state).toBe('open');
  });
});

it('whatever happens: closed lets all begin, open nobody, half-open one; it can always come back', () => {
  const sessions = fc.constantFrom('a', 'b', 'c');
  const event: fc.Arbitrary<BreakerEvent> = fc.oneof(
    fc.record({ type: fc.constant('turn_failed' as const), code: fc.constantFrom(...TURN_ERRORS), session: sessions }),
    fc.record({
      type: fc.constantFrom('turn_progressed' as const, 'turn_begun' as const, 'turn_left' as const),
      session: sessions,
    }),
    fc.record({ type: fc.constantFrom('turn_succeeded' as const, 'probe_answered' as const, 'probe_failed' as const) }),
  );
  fc.assert(
    fc.property(fc.array(fc.tuple(event, fc.nat(3_000)), { maxLength: 100 }), (events) => {
      let breaker = CLOSED;
      let now = 0;
      for (const [next, ms] of events) {
        now += ms;
        breaker = breakerAfter(breaker, next, now);
        const able = ['a', 'b', 'c', 'd'].filter((session) => mayBegin(breaker, session, now)).length;
        if (breaker.state === 'closed') expect(able).toBe(4);
        if (breaker.state === 'open') expect(able).toBe(0);
        if (breaker.state === 'half-open' && breaker.trial && now - breaker.trial.seenAt <= 5_000)
          expect(able).toBeLessThanOrEqual(1);
      }
      const later = now + 31_000;
      const probed = after([{ type: 'probe_answered' }], breaker, later);
      const tried = after([{ type: 'turn_begun', session: 'a' }, { type: 'turn_succeeded' }], probed, later);
      expect(tried).toEqual(CLOSED);
    }),
  );
});

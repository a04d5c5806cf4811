import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FairLine, type LineClaim, type LineEntry } from '../../src/bots/line.ts';

const LEASE_MS = 6_000;

/** Rows as they are kept, and the line over them; `reboot` makes a new process of it. */
class Kept {
  readonly rows = new Map<string, LineEntry>();
  writes = 0;
  line: FairLine;

  constructor() {
    this.line = this.boot(0);
  }

  boot(now: number): FairLine {
    this.line = new FairLine(
      {
        put: (entry) => {
          this.writes += 1;
          this.rows.set(entry.session, entry);
        },
        remove: (session) => {
          this.writes += 1;
          this.rows.delete(session);
        },
      },
      [...this.rows.values()],
      now,
      now + LEASE_MS,
    );
    return this.line;
  }
}

function claim(session: string, more: Partial<LineClaim> = {}): LineClaim {
  return { session, user: `u-${session}`, turn: 1, attempt: 1, priority: 0, ...more };
}

/** Sessions in the order in which they get a slot, each ending before the next begins. */
function served(line: FairLine): string[] {
  const order: string[] = [];
  for (let entry = line.grantNext(1, 1); entry; entry = line.grantNext(1, 1)) {
    order.push(entry.session);
    line.leave(entry.session);
  }
  return order;
}

describe('B11: a slot goes', () => {
  it('first to who came first', () => {
    const { line } = new Kept();
    ['a', 'b', 'c'].forEach((session, at) => line.join(claim(session), at));
    expect(line.order().map(({ session }) => session)).toEqual(['a', 'b', 'c']);
    expect(served(line)).toEqual(['a', 'b', 'c']);
  });

  it('to the highest priority before anybody', () => {
    const { line } = new Kept();
    line.join(claim('a'), 1);
    line.join(claim('b', { priority: 2 }), 2);
    line.join(claim('c', { priority: 1 }), 3);
    expect(line.order().map(({ session }) => session)).toEqual(['b', 'c', 'a']);
    expect(served(line)).toEqual(['b', 'c', 'a']);
  });

  it('in turns to users, however many turns one of them brings', () => {
    const { line } = new Kept();
    ['a1', 'a2', 'a3', 'a4'].forEach((session, at) => line.join(claim(session, { user: 'a' }), at));
    line.join(claim('b1', { user: 'b' }), 10);
    line.join(claim('c1', { user: 'c' }), 11);
    const order = ['a1', 'b1', 'c1', 'a2', 'a3', 'a4'];
    expect(line.order().map(({ session }) => session)).toEqual(order);
    expect(served(line)).toEqual(order);
  });

  it('to who holds fewest', () => {
    const { line } = new Kept();
    line.join(claim('a1', { user: 'a' }), 1);
    line.grantNext(3, 100);
    line.join(claim('a2', { user: 'a' }), 2);
    line.join(claim('b1', { user: 'b' }), 3);
    expect(line.grantNext(3, 100)?.session).toBe('b1');
    expect(line.grantNext(3, 100)?.session).toBe('a2');
    expect(line.grantNext(3, 100)).toBeNull();
  });

  it('to who was served longest ago: one who asks again and again does not go before one who waits', () => {
    const { line } = new Kept();
    line.join(claim('busy', { user: 'busy' }), 1);
    line.join(claim('x', { user: 'x' }), 2);
    expect(line.grantNext(1, 100)?.session).toBe('busy');
    line.leave('busy');
    line.join(claim('busy', { user: 'busy', turn: 2 }), 3);
    expect(line.grantNext(1, 100)?.session).toBe('x');
  });
});

describe('B12: the order of coming', () => {
  it('survives the process, and a slot held then counts on', () => {
    const kept = new Kept();
    ['a', 'b', 'c'].forEach((session, at) => kept.line.join(claim(session), at));
    kept.line.grantNext(1, LEASE_MS);
    const line = kept.boot(1_000);
    expect(line.leased).toBe(1);
    expect(line.grantNext(1, 0)).toBeNull();
    expect(line.order().map(({ session }) => session)).toEqual(['b', 'c']);
    expect(line.get('b')?.since).toBe(1);
    // Nobody knows how long the lease has left: all of one.
    expect(line.nextExpiry()).toBe(1_000 + LEASE_MS);
  });

  it('survives a new attempt at the same turn; another turn comes last', () => {
    const { line } = new Kept();
    line.join(claim('a'), 1);
    line.join(claim('b'), 2);
    line.join(claim('a', { attempt: 2 }), 3);
    expect(line.get('a')).toMatchObject({ since: 1, attempt: 2 });
    line.join(claim('a', { turn: 2 }), 4);
    expect(line.order().map(({ session }) => session)).toEqual(['b', 'a']);
  });
});

describe('B13: a lease', () => {
  it('that is not renewed ends, and its turn is passed over until it is heard of', () => {
    const { line } = new Kept();
    line.join(claim('dead'), 1);
    line.join(claim('b'), 2);
    line.grantNext(1, 100);
    expect(line.expire(99)).toEqual([]);
    expect(line.expire(100).map(({ session }) => session)).toEqual(['dead']);
    expect(line.waiting).toBe(1);
    expect(line.grantNext(1, 200)?.session).toBe('b');
    line.leave('b');
    expect(line.grantNext(1, 200)).toBeNull();
    line.join(claim('dead'), 300);
    expect(line.get('dead')?.since).toBe(1);
    expect(line.grantNext(1, 400)?.session).toBe('dead');
  });

  it('is renewed only for the attempt that holds it', () => {
    const { line } = new Kept();
    line.join(claim('a'), 1);
    line.grantNext(1, 100);
    expect(line.renew(claim('a', { attempt: 2 }), 2, 200)).toBe(false);
    expect(line.renew(claim('a'), 2, 200)).toBe(true);
    expect(line.nextExpiry()).toBe(200);
    line.join(claim('a', { attempt: 2 }), 3);
    expect(line.leased).toBe(0);
  });

  it('costs no row to renew', () => {
    const kept = new Kept();
    kept.line.adopt(claim('a'), 1, 100);
    expect(kept.writes).toBe(1);
    for (let at = 2; at < 50; at += 1) kept.line.renew(claim('a'), at, at + 100);
    expect(kept.writes).toBe(1);
  });
});

it('forgets waiting turns of which nothing was heard', () => {
  const { line } = new Kept();
  line.join(claim('old'), 1);
  line.join(claim('new'), 50);
  line.drop(40);
  expect(line.order().map(({ session }) => session)).toEqual(['new']);
});

// What may happen to a line, with the clock going on by itself.
const SESSIONS = ['a', 'b', 'c', 'd', 'e', 'f'] as const;
const session = fc.constantFrom(...SESSIONS);
const step = fc.oneof(
  fc.record({ do: fc.constant('join' as const), session, turn: fc.integer({ min: 1, max: 3 }), priority: fc.nat(2) }),
  fc.record({ do: fc.constant('renew' as const), session }),
  fc.record({ do: fc.constant('leave' as const), session }),
  fc.record({ do: fc.constant('doubt' as const), session }),
  fc.record({ do: fc.constant('grant' as const) }),
  fc.record({ do: fc.constant('wait' as const), ms: fc.nat(4_000) }),
  fc.record({ do: fc.constant('crash' as const) }),
);

/** Two sessions each have one user. */
const userOf = (name: string): string => `u${SESSIONS.indexOf(name as (typeof SESSIONS)[number]) % 3}`;

it('B10, B12: whatever happens, never more leases than slots, no lease cut short, rows equal to what is in memory', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 3 }), fc.array(step, { maxLength: 80 }), (slots, steps) => {
      const kept = new Kept();
      let now = 0;
      /** Until when each session may believe that it generates. */
      const believes = new Map<string, { until: number; turn: number }>();
      for (const action of steps) {
        const { line } = kept;
        now += 10;
        switch (action.do) {
          case 'join': {
            const { turn, priority } = action;
            // A session that claims anew has ended what it generated.
            believes.delete(action.session);
            line.join(claim(action.session, { user: userOf(action.session), turn, priority }), now);
            break;
          }
          case 'renew': {
            const entry = line.get(action.session);
            if (entry && line.renew(entry, now, now + LEASE_MS)) {
              believes.set(action.session, { until: now + LEASE_MS, turn: entry.turn });
            }
            break;
          }
          case 'leave':
            believes.delete(action.session);
            line.leave(action.session);
            break;
          case 'doubt':
            line.doubt(action.session);
            break;
          case 'grant': {
            const expected = line.order()[0];
            const entry = line.grantNext(slots, now + LEASE_MS);
            if (entry) {
              expect(entry.session).toBe(expected?.session);
              believes.set(entry.session, { until: now + LEASE_MS, turn: entry.turn });
            }
            break;
          }
          case 'wait':
            now += action.ms;
            for (const { session: ended } of line.expire(now)) {
              expect(believes.get(ended)?.until ?? 0).toBeLessThanOrEqual(now);
            }
            break;
          case 'crash':
            kept.boot(now);
        }
        const generating = [...believes.values()].filter(({ until }) => until > now);
        expect(generating.length).toBeLessThanOrEqual(slots);
        expect(kept.line.leased).toBeLessThanOrEqual(slots);
        expect(kept.line.leased).toBe([...kept.rows.values()].filter(({ grant }) => grant > 0).length);
        expect(kept.line.size).toBe(kept.rows.size);
        expect(kept.line.order().length).toBe(kept.line.waiting);
      }
    }),
    { numRuns: 500 },
  );
});

it('B11: nobody of one priority is served twice while another user has waited since before the first time', () => {
  const arrivals = fc.array(fc.record({ user: fc.nat(4), turns: fc.integer({ min: 1, max: 4 }) }), { maxLength: 12 });
  fc.assert(
    fc.property(arrivals, (list) => {
      const { line } = new Kept();
      let next = 0;
      for (const { user, turns } of list) {
        for (let turn = 0; turn < turns; turn += 1, next += 1) line.join(claim(`s${next}`, { user: `u${user}` }), next);
      }
      const waiting = new Map<string, number>();
      for (const { user } of line.order()) waiting.set(user, (waiting.get(user) ?? 0) + 1);
      const rounds: string[][] = [];
      for (let entry = line.grantNext(1, 1); entry; entry = line.grantNext(1, 1)) {
        const round = rounds.at(-1);
        if (!round || round.includes(entry.user)) rounds.push([entry.user]);
        else round.push(entry.user);
        line.leave(entry.session);
      }
      // Each round serves everybody once who still has something waiting.
      rounds.forEach((round, at) => {
        const due = [...waiting].filter(([, turns]) => turns > at).map(([user]) => user);
        expect(round.toSorted()).toEqual(due.toSorted());
      });
    }),
  );
});

import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { LogRecord } from '../../src/protocol/records.ts';
import { evolve } from '../../src/session/evolve.ts';
import { EMPTY_STATE, type SessionState } from '../../src/session/state.ts';
import { decodeState, encodeState } from '../../src/session/stored-state.ts';
import { transition } from '../../src/session/transition.ts';
import { commandOf, steps, type Step } from './commands.ts';

const RUNS = 2_000;

/** Every state on the way, and the whole log. */
function history(commands: readonly Step[]): { log: LogRecord[]; states: SessionState[] } {
  const bot = { id: 'b', name: 'B', model: 'm' };
  const log: LogRecord[] = [];
  const states: SessionState[] = [EMPTY_STATE];
  const take = (command: Parameters<typeof transition>[1], at: number) => {
    const state = states.at(-1) ?? EMPTY_STATE;
    const result = transition(state, command, at);
    if (!result.ok) return;
    log.push(...result.records);
    states.push(result.state);
  };
  take({ type: 'create', bot, title: '' }, 1);
  commands.forEach((step, index) => take(commandOf(step, log), index + 2));
  return { log, states };
}

function always(check: (log: LogRecord[], states: SessionState[]) => void): void {
  fc.assert(
    fc.property(steps, (commands) => {
      const { log, states } = history(commands);
      check(log, states);
    }),
    { numRuns: RUNS },
  );
}

test('S5: the log is dense from 1', () => {
  always((log) => log.forEach((record, index) => expect(record.seq).toBe(index + 1)));
});

test('S6: the stored state equals the fold of the whole log', () => {
  always((log, states) => {
    const last = states.at(-1) ?? EMPTY_STATE;
    expect(log.reduce(evolve, EMPTY_STATE)).toEqual(last);
    const messages = log.flatMap((record) => (record.kind === 'message' ? [[record.seq, record.id] as const] : []));
    expect(decodeState(encodeState(last), () => new Map(messages))).toEqual(last);
  });
});

test('S8: every message ends at most once per opening, and is open exactly while the state says so', () => {
  always((log, states) => {
    const last = states.at(-1) ?? EMPTY_STATE;
    const open = new Set<number>();
    for (const record of log) {
      if (record.kind === 'message') open.add(record.seq);
      else if (record.kind === 'regenerated') {
        expect(open.has(record.turn)).toBe(false);
        open.add(record.turn);
      } else if (['reply', 'failed', 'stopped', 'cancelled'].includes(record.kind) && 'turn' in record) {
        expect(open.delete(record.turn)).toBe(true);
      }
    }
    const said = [last.running?.turn, ...last.waiting.map((turn) => turn.turn)].filter((turn) => turn !== undefined);
    expect(new Set(said)).toEqual(open);
    expect(said.length).toBe(open.size);
  });
});

test('S9: none waits while none runs, and the line is ordered by priority, then by the log', () => {
  always((_, states) => {
    for (const { running, waiting } of states) {
      if (!running) expect(waiting).toEqual([]);
      expect([...waiting].toSorted((a, b) => b.priority - a.priority || a.turn - b.turn)).toEqual(waiting);
    }
  });
});

test('S11: attempts of a turn only grow', () => {
  always((log) => {
    const attempts = new Map<number, number>();
    for (const record of log) {
      if (!('attempt' in record)) continue;
      const before = attempts.get(record.turn) ?? 0;
      const mayRepeat = record.kind === 'reply' || record.kind === 'failed' || record.kind === 'stopped';
      expect(record.attempt).toBeGreaterThanOrEqual(mayRepeat ? before : before + 1);
      attempts.set(record.turn, record.attempt);
    }
  });
});

test('S2: one record per client id', () => {
  always((log) => {
    const ids = log.flatMap((record) => (record.kind === 'message' ? [record.id] : []));
    expect(new Set(ids).size).toBe(ids.length);
  });
});

/** The figures of a run, counted from logs and acknowledgements alone: a second opinion beside the checker. */
import type { LogRecord } from '../../src/protocol/records.ts';

export interface Account {
  written: number;
  acknowledged: number;
  /** Turns that ended in a reply. */
  answered: number;
  /** Turns that were given up after too many crashes in the middle of them (S14). */
  givenUp: number;
  /** Turns that failed for another reason. */
  failed: number;
  /** Attempts that a crash cut off and another one followed. */
  restarts: number;
  /** Acknowledged without a record or without an outcome, or written and nowhere. */
  lost: string[];
  /** Accepted twice, answered twice, or in the log and written by nobody. */
  doubled: string[];
}

export const EMPTY_ACCOUNT: Account = {
  written: 0,
  acknowledged: 0,
  answered: 0,
  givenUp: 0,
  failed: 0,
  restarts: 0,
  lost: [],
  doubled: [],
};

export interface Accounted {
  session: string;
  log: readonly LogRecord[];
  written: ReadonlyMap<string, string>;
  acknowledgements: readonly { id: string; seq: number }[];
}

export function accountOf({ session, log, written, acknowledgements }: Accounted): Account {
  const turns = new Map<string, number[]>();
  const outcomes = new Map<number, string[]>();
  for (const record of log) {
    if (record.kind === 'message') turns.set(record.id, [...(turns.get(record.id) ?? []), record.seq]);
    if (record.kind === 'reply' || record.kind === 'failed' || record.kind === 'stopped') {
      outcomes.set(record.turn, [...(outcomes.get(record.turn) ?? []), record.kind]);
    }
  }
  const acknowledged = new Map(acknowledgements.map(({ id, seq }) => [id, seq]));
  const isLost = (id: string): boolean => {
    const seq = acknowledged.get(id) ?? turns.get(id)?.[0];
    return seq === undefined || !turns.get(id)?.includes(seq) || !outcomes.has(seq);
  };
  const isDoubled = (id: string): boolean => {
    const seqs = turns.get(id) ?? [];
    return seqs.length > 1 || seqs.some((seq) => (outcomes.get(seq)?.length ?? 0) > 1);
  };
  const ids = [...new Set([...written.keys(), ...acknowledged.keys()])];
  const strangers = [...turns.keys()].filter((id) => !written.has(id));
  return {
    written: written.size,
    acknowledged: acknowledged.size,
    answered: log.filter(({ kind }) => kind === 'reply').length,
    givenUp: log.filter((record) => record.kind === 'failed' && record.code === 'interrupted').length,
    failed: log.filter((record) => record.kind === 'failed' && record.code !== 'interrupted').length,
    restarts: log.filter(({ kind }) => kind === 'restarted').length,
    lost: ids.filter(isLost).map((id) => `${session}: ${id}`),
    doubled: [...ids.filter(isDoubled), ...strangers].map((id) => `${session}: ${id}`),
  };
}

export function add(a: Account, b: Account): Account {
  return {
    written: a.written + b.written,
    acknowledged: a.acknowledged + b.acknowledged,
    answered: a.answered + b.answered,
    givenUp: a.givenUp + b.givenUp,
    failed: a.failed + b.failed,
    restarts: a.restarts + b.restarts,
    lost: [...a.lost, ...b.lost],
    doubled: [...a.doubled, ...b.doubled],
  };
}

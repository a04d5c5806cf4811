/**
 * Makes a session long at once: thousands of messages said one by one would take longer than all that
 * is measured of them. While the server is stopped, turns are appended to the session's log by the
 * product's own code, so that what the server finds is what it would have written; D1 follows by itself.
 */
import { SessionLog } from '../../src/log/session-log.ts';
import type { LogRecord } from '../../src/protocol/records.ts';
import { evolve } from '../../src/session/evolve.ts';
import { decodeState, encodeState } from '../../src/session/stored-state.ts';
import { nodeSql } from '../../test/support/node-sql.ts';
import type { SwitchboardServer } from '../lab/servers.ts';
import { LoadError } from '../scenario.ts';
import { StoredSessions } from '../switchboard/stored.ts';

const TURN_MS = 1_000;

/** Until the session has `messages` messages. It has to have an answered one, which the others are like. */
export async function lengthen(server: SwitchboardServer, session: string, messages: number): Promise<void> {
  await server.kill();
  const stored = new StoredSessions(server.folder);
  const path = stored.file(session);
  stored.close();
  if (path === null) throw new LoadError('not_finished', 'The session that is to become long was not stored.');
  const sql = nodeSql(path);
  try {
    const log = SessionLog.open(sql);
    if (!log) throw new LoadError('not_finished', 'The session that is to become long has no log.');
    sql.transaction(() => appendTurns(log, messages));
  } finally {
    sql.close();
  }
  await server.restart();
}

function appendTurns(log: SessionLog, messages: number): void {
  let state = decodeState(log.lastState() ?? '', (turns) => log.messageIds(turns));
  const answer = state.last ? log.outcomeOf(state.last.turn) : null;
  const question = state.last ? log.record(state.last.turn) : null;
  if (question?.kind !== 'message' || answer?.kind !== 'reply') {
    throw new LoadError('not_finished', 'The session that is to become long has no answered message.');
  }
  const append = (record: LogRecord): void => {
    state = evolve(state, record);
    log.append([record], encodeState(state));
  };
  let at = answer.at;
  for (let turn = 1; turn < messages / 2; turn += 1) {
    at += TURN_MS;
    const seq = state.seq + 1;
    append({ ...question, seq, at, id: `long-${turn}`, text: `${turn}. ${question.text}` });
    append({ ...answer, seq: seq + 1, at, turn: seq, text: `${turn}. ${answer.text}` });
  }
}

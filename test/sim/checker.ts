/**
 * Holds the history of a simulated run against SPEC.md, rule by rule. What any recorded history can
 * show is checked by `history-checker.ts`; here is what only a simulation sees from outside: the
 * model's side, the disk's, the alarm's. Pure; believes nothing of the code it checks.
 */
import { checkHistory } from '../support/history-checker.ts';
import { LogModel, type Report, type Violation } from '../support/history-model.ts';
import type { LogRecord } from '../../src/protocol/records.ts';
import { checkAnswers } from './check-answers.ts';
import { checkBots } from './check-bots.ts';
import { checkFrames } from './check-frames.ts';
import type { SimHistory } from './history.ts';

/** PROTOCOL.md: bounds of what is kept. */
const MAX_TEXT_BYTES = 32 * 1024;
const MAX_REPLY_LENGTH = 256 * 1024;
const MAX_TITLE_LENGTH = 200;

export function check(history: SimHistory): Violation[] {
  const violations = checkHistory(history.session);
  const report: Report = (rule, detail) =>
    void violations.push({ rule, detail: `${history.session.session}: ${detail}` });
  for (const fault of history.faults) report('fault', fault);
  checkDisk(history, report);
  checkFrames(history, report);
  checkAnswers(history, report);
  checkBots(history, report);
  checkQueues(history, report);
  checkWakes(history, report);
  checkBounds(history, report);
  if (history.removed) checkErased(history, report);
  else checkWanted(history, report);
  if (history.rest) checkRest(history, history.rest, report);
  else report('S8', 'the session does not come to rest');
  if (history.spared) checkSpared(history, report);
  return violations;
}

/** S5, S6: what was durable once is still there, unchanged, and the stored state is the fold of it. */
function checkDisk({ anchors, hashes, chain, state, session, delivered }: SimHistory, report: Report): void {
  for (const { seq, hash } of anchors) {
    if (hashes[seq - 1] === hash) continue;
    report(
      hashes.length < seq ? 'S1' : 'S5',
      `record ${seq} was durable and is ${hashes.length < seq ? 'gone' : 'another one'}`,
    );
  }
  if (chain !== null) report('S5', `the chain breaks at ${chain}`);
  if (state !== null) checkState(session.log, JSON.parse(state), report);
  let before = 0;
  for (const position of delivered) {
    if (position < before) report('S19', `the position of the delivery went back from ${before} to ${position}`);
    before = position;
  }
}

interface StoredState {
  seq: number;
  title: string;
  running: { turn: number; attempt: number; restarts: number } | null;
  waiting: { turn: number; priority: number }[];
  last: { turn: number; attempt: number } | null;
}

function checkState(log: readonly LogRecord[], state: StoredState, report: Report): void {
  const model = new LogModel(() => {});
  for (const record of log) model.apply(record);
  const turnOf = (turn: { turn: number; attempt: number } | null): string =>
    turn ? `${turn.turn}.${turn.attempt}` : '-';
  const folded = [log.length, turnOf(model.running), model.waiting.map(({ turn }) => turn).join(), turnOf(model.last)];
  const stored = [state.seq, turnOf(state.running), state.waiting.map(({ turn }) => turn).join(), turnOf(state.last)];
  if (folded.join(' ') !== stored.join(' '))
    report('S6', `the stored state is ${stored.join(' ')}, the fold ${folded.join(' ')}`);
}

function isOutcome(record: LogRecord): record is Extract<LogRecord, { kind: 'reply' | 'stopped' | 'failed' }> {
  return record.kind === 'reply' || record.kind === 'stopped' || record.kind === 'failed';
}

/** S9: what waits waits once, behind something that runs. */
function checkQueues({ queues }: SimHistory, report: Report): void {
  for (const { tab, running, waiting } of queues) {
    const turns = running === null ? waiting : [running, ...waiting];
    if (running === null) report('S9', `${tab} shows that ${waiting.join()} wait while nothing runs`);
    if (new Set(turns).size < turns.length) report('S9', `${tab} shows the queue ${turns.join()}`);
  }
}

/** S18: work has an alarm, idleness has none. */
function checkWakes({ wakes, rest }: SimHistory, report: Report): void {
  for (const { moment, work, armed } of wakes) {
    if (work && !armed) report('S18', `after a ${moment} there is work and no alarm`);
  }
  if (!rest) return;
  if (rest.alarm) report('S18', 'an alarm is set although there is nothing to do');
  if (rest.timers > 0) report('S18', `${rest.timers} timers run although there is nothing to do`);
  if (rest.wakesWhileIdle > 0) report('S18', `woken ${rest.wakesWhileIdle} times while idle`);
  if (rest.writesWhileIdle > 0) report('S18', `${rest.writesWhileIdle} transactions written while idle`);
}

function checkBounds({ session: { log } }: SimHistory, report: Report): void {
  for (const record of log) {
    if (record.kind === 'message' && Buffer.byteLength(record.text) > MAX_TEXT_BYTES) {
      report('S24', `record ${record.seq}: a message of ${Buffer.byteLength(record.text)} bytes`);
    }
    if (isOutcome(record) && record.text.length + (record.thinking?.length ?? 0) > MAX_REPLY_LENGTH) {
      report('S24', `record ${record.seq}: an answer of ${record.text.length} characters`);
    }
    if (record.kind === 'updated' && (record.title?.length ?? 0) > MAX_TITLE_LENGTH) {
      report('S24', `record ${record.seq}: a title of ${record.title?.length} characters`);
    }
  }
}

/** S23: what a client took over is in the log, once, in the order of its page. */
function checkWanted({ wanted, session: { log }, rest }: SimHistory, report: Report): void {
  if (!rest) return;
  const places = new Map(
    log.flatMap((record) => (record.kind === 'message' ? [[record.id, record.seq] as const] : [])),
  );
  const last = new Map<string, number>();
  const waits = new Set(rest.pending.map(({ id }) => id));
  for (const { id, page, touched, withdrawn } of wanted) {
    const seq = places.get(id);
    if (seq === undefined) {
      if (!withdrawn && !waits.has(id)) report('S23', `${id} was taken over and is not in the log`);
      continue;
    }
    if (touched) continue;
    const before = last.get(page) ?? 0;
    if (seq < before) report('S23', `${id} is record ${seq}, before a message that was written earlier (${before})`);
    last.set(page, seq);
  }
}

/** S22: nothing of an erased session goes on or stays. */
function checkErased({ leftovers, readOn, asks, rest }: SimHistory, report: Report): void {
  for (const name of readOn) report('S22', `the answer ${name} was read on or asked for after the session was erased`);
  for (const left of leftovers) report('S22', `an erased session left ${left}`);
  if (!rest) return;
  for (const { turn, attempt, end } of asks) {
    if (end === 'open') report('S22', `the answer ${turn}.${attempt} of an erased session is still being read`);
  }
}

function checkRest({ removed }: SimHistory, rest: NonNullable<SimHistory['rest']>, report: Report): void {
  if (removed) return;
  for (const what of rest.unsettled) report('S15', `at rest ${what}`);
  const { stored, logged } = rest.settings;
  if (stored !== logged) report('S19', `D1 has the settings ${stored}, the log ${logged}`);
  for (const { id, refused } of rest.pending) {
    // Only this one says that the message can never be accepted.
    if (refused !== 'id_conflict') report('S23', `${id} is still not sent (${refused ?? 'never refused'})`);
  }
}

/** S21: nobody did anything to this session, so nothing may have happened to it. */
function checkSpared({ session: { log } }: SimHistory, report: Report): void {
  for (const { seq, kind } of log) {
    if (kind === 'restarted' || kind === 'failed')
      report('S21', `record ${seq} (${kind}) in a session that was left alone`);
  }
}

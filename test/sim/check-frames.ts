/** What came of each frame that the object handled to its end: S3, S4, S7, S10, S13, S17, S24, and what PROTOCOL.md says of hello. */
import type { LogRecord } from '../../src/protocol/records.ts';
import { LogModel, type Report } from '../support/history-model.ts';
import type { Handled, SimHistory } from './history.ts';

/** PROTOCOL.md: frames that a tab may send on average. */
const FRAMES_PER_SECOND = 50;

export function checkFrames(history: SimHistory, report: Report): void {
  const { handled, queueLimit } = history;
  const { log } = history.session;
  for (const one of handled) {
    checkRefusal(one, report);
    checkGreeting(one, report);
    const { frame, headBefore, headAfter, answers } = one;
    if (frame?.type === 'send') {
      checkAnswered(one, frame.id, report);
      if (answers.some(({ code }) => code === 'queue_full')) checkFull(log, headBefore, queueLimit, report);
    }
    if (frame?.type === 'edit' || frame?.type === 'cancel') checkChanged(log, one, frame.id, report);
    if (frame?.type === 'regenerate') checkBase(log, frame, headBefore, headAfter, report);
  }
  checkQueue(log, queueLimit, report);
  checkRate(history, report);
}

function checkRefusal({ frame, headBefore, headAfter, answers }: Handled, report: Report): void {
  const error = answers.find(({ type }) => type === 'error');
  const what = frame?.type ?? 'an unreadable frame';
  if (error && headAfter !== headBefore) report('S7', `${what} was refused (${error.code}) and changed the log`);
  if (!frame && !error) report('S7', 'an unreadable frame was not refused');
  // What a reader has returned it does not return again: it would wait for ever.
  if (frame?.type === 'credit' && error?.code === 'rate_limited') report('S17', 'credit was refused');
}

function checkGreeting({ frame, greeted, answers }: Handled, report: Report): void {
  if (!frame || frame.type === 'ping' || answers.some(({ type }) => type === 'error')) return;
  if (frame.type === 'hello' && greeted) report('wire', 'a second hello was served');
  if (frame.type !== 'hello' && !greeted) report('wire', `${frame.type} was served before hello`);
}

function checkAnswered({ answers, degraded }: Handled, id: string, report: Report): void {
  const isAnswered = answers.some((answer) => answer.id === id && (answer.type === 'ack' || answer.type === 'error'));
  if (isAnswered || answers.some(({ code }) => code === 'hello_required')) return;
  const when = degraded ? ' while D1 or the model were down' : '';
  report('S4', `${id} was neither acknowledged nor refused${when}`);
}
/** S10: what is changed is the message that was named. */
function checkChanged(log: readonly LogRecord[], { headBefore, headAfter }: Handled, id: string, report: Report): void {
  for (const record of log.slice(headBefore, headAfter)) {
    if (record.kind !== 'edited' && record.kind !== 'cancelled') continue;
    const message = log[record.turn - 1];
    if (message?.kind !== 'message' || message.id !== id) {
      report('S10', `record ${record.seq} (${record.kind}) is about turn ${record.turn}, not about ${id}`);
    }
  }
}

function checkBase(
  log: readonly LogRecord[],
  { turn, baseSeq }: { turn: number; baseSeq: number },
  headBefore: number,
  headAfter: number,
  report: Report,
): void {
  const outcome = log.findLast((record) => record.seq <= headBefore && isOutcome(record) && record.turn === turn);
  const done = log.slice(headBefore, headAfter).some(({ kind }) => kind === 'regenerated');
  if (done && outcome && (baseSeq < outcome.seq || baseSeq > headBefore)) {
    report('S13', `regenerated on the base of ${baseSeq}: the outcome is ${outcome.seq}, the end ${headBefore}`);
  }
}

function checkFull(log: readonly LogRecord[], head: number, limit: number, report: Report): void {
  const model = new LogModel(() => {});
  for (const record of log.slice(0, head)) model.apply(record);
  if (model.waiting.length < limit) report('S3', `a message was refused while ${model.waiting.length} waited`);
}

function checkQueue(log: readonly LogRecord[], limit: number, report: Report): void {
  const model = new LogModel(() => {});
  for (const record of log) {
    model.apply(record);
    if (model.waiting.length > limit) report('S3', `${model.waiting.length} messages wait after record ${record.seq}`);
  }
}

function isOutcome(record: LogRecord): record is Extract<LogRecord, { kind: 'reply' | 'stopped' | 'failed' }> {
  return record.kind === 'reply' || record.kind === 'stopped' || record.kind === 'failed';
}

/** S24: what a tab may have done at once, and on average. Credit does not count; unreadable frames end in a close. */
function checkRate({ handled, frameBurst, badFrameLimit }: SimHistory, report: Report): void {
  const tabs = new Map<string, { acted: number; at: number; unreadable: number }>();
  for (const { tab, at, frame, answers } of handled) {
    const before = tabs.get(tab) ?? { acted: 0, at, unreadable: 0 };
    const unreadable = before.unreadable + (frame ? 0 : 1);
    if (unreadable > badFrameLimit) report('S24', `${tab}: ${unreadable} unreadable frames`);
    const isFree = !frame || frame.type === 'credit' || answers.some(({ code }) => code === 'rate_limited');
    // A clock that is set back gives nothing.
    const earned = (Math.max(0, at - before.at) / 1_000) * FRAMES_PER_SECOND;
    const acted = Math.max(0, before.acted - earned) + (isFree ? 0 : 1);
    if (acted > frameBurst) report('S24', `${tab}: ${Math.ceil(acted)} frames at once were acted on`);
    tabs.set(tab, { acted, at, unreadable });
  }
}

/** The model's side of a run held against the log: what was asked, what it said, what was kept and shown. */
import { isDeepStrictEqual } from 'node:util';
import type { LogRecord } from '../../src/protocol/records.ts';
import type { Report } from '../support/history-model.ts';
import { addressee, isUnbegun } from './check-bots.ts';
import type { Ask, BotFacts, SimHistory } from './history.ts';

type Outcome = Extract<LogRecord, { kind: 'reply' | 'stopped' | 'failed' }>;

export function checkAnswers({ asks, shown, session: { log }, bots }: SimHistory, report: Report): void {
  const byName = new Map<string, Ask>();
  for (const ask of asks) {
    const name = `${ask.turn}.${ask.attempt}`;
    // What was never durable was never sent, and its number is taken again.
    if (ask.end === 'unsent') continue;
    if (byName.has(name)) report('S11', `the model was asked twice for ${name}`);
    byName.set(name, ask);
    // One more, which fails at once, where the last piece was half of a character.
    if (ask.lateReads > 1) report('S12', `${name} is read on after its end`);
    checkPrompt(ask, log, report);
  }
  for (const record of log) {
    if (record.kind === 'reply' || record.kind === 'stopped' || record.kind === 'failed') {
      checkOutcome(record, byName.get(`${record.turn}.${record.attempt}`), bots.ends, report);
    }
  }
  for (const { tab, turn, attempt, text, thinking } of shown) {
    const ask = byName.get(`${turn}.${attempt}`);
    if (!ask) report('S16', `${tab} shows an answer ${turn}.${attempt} that nobody gave`);
    else if (!wholeOf(ask.text).startsWith(text) || !wholeOf(ask.thinking).startsWith(thinking)) {
      report('S16', `${tab} shows of ${turn}.${attempt} what the model did not say: ${JSON.stringify(text)}`);
    }
  }
}

/** S20: the question as edited last, and the turns that ended before it, each with its last outcome. */
function checkPrompt(
  { turn, attempt, question, past, isWhole, head }: Ask,
  log: readonly LogRecord[],
  report: Report,
): void {
  const known = log.slice(0, head);
  const asked = textOf(known, turn);
  if (asked === undefined) return report('S20', `${turn}.${attempt} was asked without a message`);
  // Without the name of the bot that it is meant for (S29).
  if (question !== asked && question !== addressee(asked)?.rest)
    report('S20', `${turn}.${attempt} was asked as ${JSON.stringify(question)}, not ${JSON.stringify(asked)}`);
  const outcomes = new Map<number, Outcome>();
  for (const record of known) {
    if (record.kind !== 'reply' && record.kind !== 'stopped' && record.kind !== 'failed') continue;
    outcomes.delete(record.turn);
    if (record.turn !== turn) outcomes.set(record.turn, record);
  }
  const expected = [...outcomes.values()]
    .toReversed()
    .map(({ turn: other, text }) => ({ user: textOf(known, other), bot: text }))
    .slice(0, isWhole ? undefined : past.length);
  if (!isDeepStrictEqual(past, expected)) {
    report('S20', `${turn}.${attempt} was asked after ${JSON.stringify(past)}, not ${JSON.stringify(expected)}`);
  }
}

function textOf(log: readonly LogRecord[], turn: number): string | undefined {
  const edited = log.findLast((record) => record.kind === 'edited' && record.turn === turn);
  if (edited?.kind === 'edited') return edited.text;
  const message = log[turn - 1];
  return message?.kind === 'message' ? message.text : undefined;
}

/** S12, S16: an outcome holds what its own attempt said: all of it, or what had come when it was stopped. */
function checkOutcome(record: Outcome, ask: Ask | undefined, ends: BotFacts['ends'], report: Report): void {
  const { seq, turn, attempt, kind, text, thinking = '' } = record;
  const name = `record ${seq} (${kind} of ${turn}.${attempt})`;
  if (!ask) {
    if (text !== '') report('S11', `${name}: the model was never asked`);
    if (kind === 'reply') report('S11', `${name}: the model was never asked`);
    return;
  }
  if (isUnbegun(record, ask, ends)) return;
  if (kind === 'stopped') {
    const isSaid = text === begunOf(ask.text) && thinking === begunOf(ask.thinking);
    if (ask.end === 'aborted' && !isSaid) report('S12', `${name} is not what had come until then`);
    // Earlier where it had lost its leave (S26); later never.
    if (ask.end === 'aborted' && (ask.closedAt === null || ask.closedAt > seq))
      report('S12', `${name}: the model was stopped at ${ask.closedAt}`);
    if (ask.end !== 'aborted' && ask.end !== 'lost') report('S12', `${name}: the model was not stopped`);
    return;
  }
  if (kind === 'failed' && record.code === 'interrupted') return;
  const isWhole = text === wholeOf(ask.text) && thinking === wholeOf(ask.thinking);
  // A stream that broke in the middle of a character may have kept its first half to itself.
  const isBegun = kind === 'failed' && text === begunOf(ask.text) && thinking === begunOf(ask.thinking);
  if (!isWhole && !isBegun) report('S16', `${name} is not what the model said`);
  // What a bot tells to end is closed like what a person stops; whether one told so is S26's and S28's.
  const isBroken = record.kind === 'failed' && (ask.end === 'aborted' || record.code === ask.code);
  const isSame = record.kind === 'reply' ? ask.end === 'whole' : isBroken;
  if (!isSame) report('S8', `${name}, but the model's stream ended ${ask.end} (${ask.code})`);
}

function wholeOf(said: string): string {
  return said.toWellFormed();
}

/** What may be shown of an unfinished stream: half of a pair waits for the other one. */
function begunOf(said: string): string {
  return said.replace(/[\uD800-\uDBFF]$/, '').toWellFormed();
}

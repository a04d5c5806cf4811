/**
 * What a session was told by its bots held against what it did: S25 to S29. Also, over all sessions,
 * that no bot answers more at once than it may.
 */
import type { TurnErrorCode } from '../../src/protocol/codes.ts';
import type { LogRecord } from '../../src/protocol/records.ts';
import type { Report } from '../support/history-model.ts';
import type { Ask, BotFacts, Flight, SimHistory, Told } from './history.ts';

/** SPEC.md S26: what runs ends so long before its lease. */
const LEASE_MARGIN_MS = 1_000;
/** Failures that only a bot tells. */
const BOT_CODES: readonly TurnErrorCode[] = [
  'bot_unavailable',
  'bot_stopped',
  'line_full',
  'line_timeout',
  'budget_exhausted',
];

export function checkBots(history: SimHistory, report: Report): void {
  const { bots, asks, session } = history;
  checkCauses(history, report);
  if (bots.isFree) return;
  const sent = asks.filter(({ end }) => end !== 'unsent');
  for (const ask of sent) {
    checkLeave(ask, bots, report);
    checkLease(ask, bots, report);
    checkAnswerer(ask, bots, session.log, report);
  }
  for (const told of bots.told) checkObeyed(told, sent, history, report);
  checkRestarts(bots, session.log, report);
  checkFlights(bots, report);
  for (const { tab, shown, told } of bots.waits) {
    if (shown !== told) report('S25', `${tab} shows the wait ${shown}, the bot said ${told}`);
  }
  for (const name of bots.mute) report('S26', `${name} runs and does not say so`);
  for (const what of bots.sleepless) report('S28', `a timer stays while the turn sleeps: ${what}`);
}

function nameOf({ turn, attempt }: { turn: number; attempt: number }): string {
  return `${turn}.${attempt}`;
}

function isAbout({ claim }: Told, { turn, attempt }: { turn: number; attempt: number }): boolean {
  return claim?.turn === turn && claim.attempt === attempt;
}

/** S25: whatever began, began with leave: this turn's own, or that of a bot that let turns begin unasked just then. */
function checkLeave(ask: Ask, { told }: BotFacts, report: Report): void {
  const before = told.slice(0, ask.told).filter(({ boot, bot }) => boot === ask.boot && bot === ask.bot);
  let lets: Told[] = [];
  for (const one of before) {
    if (one.answer.do === 'go') lets.push(one);
    // What came late was not listened to. An answer to another turn says nothing of a lease.
    else if (one.answer.do !== 'nothing' && !one.isLate) lets = lets.filter((other) => outlives(other, one));
  }
  if (lets.some((one) => isHeld(one, ask))) return;
  const own = before.findLast((one) => isAbout(one, ask));
  const what = own ? `it was told ${own.answer.do} ${ask.startAt - own.at} ms before` : 'it was told nothing of it';
  report('S25', `${nameOf(ask)} was begun by ${ask.bot} without leave: ${what}`);
}

/** Whether what was said before still holds after another word: only a lease of another turn does. */
function outlives({ claim, answer }: Told, { claim: other }: Told): boolean {
  if (answer.do !== 'go' || answer.leaseMs === null) return false;
  return claim?.turn !== other?.turn || claim?.attempt !== other?.attempt;
}

function isHeld(told: Told, ask: Ask): boolean {
  const { calledAt, calledClock, isSkewed, answer, at } = told;
  if (answer.do !== 'go') return false;
  const isOwn = isAbout(told, ask);
  if (isOwn && at === ask.startAt) return true;
  if (answer.leaseMs === null) {
    return (isOwn || answer.unasked === true) && ask.startClock < calledClock + answer.callAgainMs;
  }
  return isOwn && (isSkewed || ask.startAt < calledAt + answer.leaseMs);
}

/** When an answer has to end by what its session was told of its lease. */
export function leaseOf(ask: Ask, told: readonly Told[]): Pick<Flight, 'dueAt' | 'isSkewed'> {
  let dueAt: number | null = null;
  let isSkewed = false;
  for (const one of told) {
    if (one.boot !== ask.boot || one.bot !== ask.bot || !isAbout(one, ask) || one.answer.do !== 'go') continue;
    if (one.at > (ask.endAt ?? Infinity)) break;
    const until = one.answer.leaseMs === null ? null : one.calledAt + one.answer.leaseMs - LEASE_MARGIN_MS;
    // What came late may have been listened to or not.
    dueAt = one.isLate && dueAt !== null && until !== null ? Math.max(dueAt, until) : until;
    isSkewed ||= one.isSkewed;
  }
  return { dueAt, isSkewed };
}

/** S26: nothing runs on until its lease ends. */
function checkLease(ask: Ask, { told, jumps }: BotFacts, report: Report): void {
  const { dueAt, isSkewed } = leaseOf(ask, told);
  if (dueAt === null || isSkewed || ask.endAt === null || ask.endAt <= dueAt || isJumped(dueAt, jumps)) return;
  report('S26', `${nameOf(ask)} ran until ${ask.endAt}, its lease had to be given back at ${dueAt}`);
}

/** Its timer came late, as all did. */
function isJumped(at: number, jumps: BotFacts['jumps']): boolean {
  return jumps.some(({ from, to }) => from <= at && at <= to);
}

/** S26: what runs and is told to end, ends there and then: as a failure with that code, or to be begun anew. */
function checkObeyed(
  told: Told,
  asks: readonly Ask[],
  { session: { log }, bots: { ends, told: all } }: SimHistory,
  report: Report,
): void {
  const { claim, answer, boot, bot, at, isLate } = told;
  if (claim?.phase !== 'running' || isLate || (answer.do !== 'fail' && answer.do !== 'wait')) return;
  const ask = asks.find((one) => isAbout(told, one) && one.boot === boot && one.bot === bot);
  if (!ask || ask.startAt > at || (ask.endAt !== null && ask.endAt < at)) return;
  if (ask.endAt !== at) return report('S26', `${nameOf(ask)} was told to ${answer.do} and ran on`);
  if (ask.end !== 'aborted') return;
  const outcome = log.find(
    (record) =>
      (record.kind === 'reply' || record.kind === 'failed') &&
      record.turn === ask.turn &&
      record.attempt === ask.attempt,
  );
  // How its process saw it was lost with that.
  if (outcome && ends.some((one) => one.boot === boot && outcome.seq > one.head)) return;
  if (answer.do === 'wait' && outcome?.kind === 'failed' && outcome.code === 'interrupted') return;
  const isRight = answer.do === 'fail' && outcome?.kind === 'failed' && outcome.code === answer.code;
  // It asked again, and was refused before there was another attempt.
  if (answer.do === 'wait' && outcome?.kind === 'failed' && isRefused(outcome, all)) return;
  if (outcome && !isRight)
    report('S26', `${nameOf(ask)} was told to ${answer.do}; record ${outcome.seq} is a ${outcome.kind}`);
}

/** Whether what asked for leave to go on with the turn, as its next attempt, was told to fail with this code. */
function isRefused(
  { turn, attempt, code }: { turn: number; attempt: number; code: string },
  told: readonly Told[],
): boolean {
  return told.some(
    ({ claim, answer }) =>
      claim?.turn === turn && claim.attempt === attempt + 1 && answer.do === 'fail' && answer.code === code,
  );
}

/** S27: a turn counts as begun again only where a bot had let that attempt begin. */
function checkRestarts({ told }: BotFacts, log: readonly LogRecord[], report: Report): void {
  for (const record of log) {
    if (record.kind !== 'restarted') continue;
    const isLet = told.some((one) => one.answer.do === 'go' && isAbout(one, record));
    if (!isLet) report('S27', `record ${record.seq}: ${nameOf(record)} counts as begun, and had no leave`);
  }
}

/** S28: a turn fails by what the model or a bot said, or because its process ended too often; by nothing else. */
function checkCauses({ asks, bots, session: { log } }: SimHistory, report: Report): void {
  for (const record of log) {
    if (record.kind !== 'failed' || record.code === 'interrupted') continue;
    const { turn, attempt, code, seq } = record;
    const isOfModel = asks.some((ask) => ask.turn === turn && ask.attempt === attempt && ask.end === 'failed');
    if (isOfModel && !BOT_CODES.includes(code)) continue;
    const isTold = bots.told.some(
      ({ claim, answer }) =>
        claim?.turn === turn &&
        // What goes on after the end of a process asks for the next attempt.
        (claim.attempt === attempt || claim.attempt === attempt + 1) &&
        answer.do === 'fail' &&
        answer.code === code,
    );
    if (!isTold) report('S28', `record ${seq}: ${turn}.${attempt} failed (${code}), which nobody said`);
  }
}

/** S29: who answers is whom the message names, or the session's own bot; asked and named by its definition of then. */
function checkAnswerer(
  ask: Ask,
  { told, known, missed, ends }: BotFacts,
  log: readonly LogRecord[],
  report: Report,
): void {
  const text = messageText(log.slice(0, ask.head), ask.turn);
  if (text === undefined) return;
  const named = addressee(text);
  const isKnown = named !== null && known.includes(named.bot);
  const isNamed = isKnown && ask.bot === named.bot && ask.question === (named.rest === '' ? text : named.rest);
  const isOwn = ownBots(log.slice(0, ask.head), ask.turn).has(ask.bot) && ask.question === text;
  if (!isNamed && !(isOwn && (!isKnown || missed.includes(named.bot)))) {
    report('S29', `${nameOf(ask)} was asked of ${ask.bot} as ${JSON.stringify(ask.question)}: ${JSON.stringify(text)}`);
  }
  const said = told
    .slice(0, ask.told)
    .flatMap(({ boot, bot, answer, isLate }) =>
      boot === ask.boot && bot === ask.bot && answer.do === 'go' ? [{ revision: answer.revision, isLate }] : [],
    );
  // What came late may have been listened to or not.
  const sure = said.findLastIndex(({ isLate }) => !isLate);
  const go = said.slice(Math.max(0, sure)).find(({ revision }) => ask.name === `${ask.bot} ${revision}`);
  const revision = go?.revision ?? said.at(-1)?.revision;
  if (!go) report('S29', `${nameOf(ask)} was asked of ${ask.name}, by then it was revision ${revision}`);
  for (const record of log) {
    if (record.kind !== 'reply' && record.kind !== 'stopped' && record.kind !== 'failed') continue;
    if (record.turn !== ask.turn || record.attempt !== ask.attempt) continue;
    if (record.kind === 'failed' && record.code === 'interrupted') continue;
    if (isUnbegun(record, ask, ends)) continue;
    const { id, name, revision: by } = record.by ?? { id: 'nobody', name: '', revision: 0 };
    if (id !== ask.bot || name !== ask.name || by !== revision)
      report('S29', `record ${record.seq} says that ${id} (${name}, ${by}) answered: it was ${ask.name}`);
  }
}

/** The attempt's process had ended, and the next one had not begun it anew when it ended: nobody answered. */
export function isUnbegun(
  { kind, text, seq, by }: Extract<LogRecord, { kind: 'reply' | 'stopped' | 'failed' }>,
  ask: Ask,
  ends: BotFacts['ends'],
): boolean {
  if (kind === 'reply' || text !== '' || by !== undefined) return false;
  return ends.some(({ boot, head }) => boot === ask.boot && seq > head);
}

/** The bot that a text begins by naming, in small letters, and what follows. */
export function addressee(text: string): { bot: string; rest: string } | null {
  if (!text.startsWith('@')) return null;
  let end = 1;
  while (end < text.length && isIn('abcdefghijklmnopqrstuvwxyz0123456789-', text[end]?.toLowerCase())) end += 1;
  const bot = text.slice(1, end).toLowerCase();
  if (bot.length < 2 || bot.length > 48 || bot.startsWith('-')) return null;
  const separates = (at: number): boolean => isIn(',:', text[at]) || text[at]?.trim() === '';
  if (end < text.length && !separates(end)) return null;
  while (end < text.length && separates(end)) end += 1;
  return { bot, rest: text.slice(end) };
}

function isIn(characters: string, character: string | undefined): boolean {
  return character !== undefined && character !== '' && characters.includes(character);
}

function messageText(log: readonly LogRecord[], turn: number): string | undefined {
  const edited = log.findLast((record) => record.kind === 'edited' && record.turn === turn);
  if (edited?.kind === 'edited') return edited.text;
  const message = log[turn - 1];
  return message?.kind === 'message' ? message.text : undefined;
}

/** The bots that the session had since the turn may have begun. */
function ownBots(log: readonly LogRecord[], turn: number): Set<string> {
  const since = log.findLast(({ kind }) => kind === 'reply' || kind === 'stopped' || kind === 'failed')?.seq ?? 0;
  const bots = new Set<string>();
  for (const record of log) {
    if (record.kind !== 'created' && (record.kind !== 'updated' || !record.bot)) continue;
    if (record.seq <= Math.max(since, turn)) bots.clear();
    if (record.bot) bots.add(record.bot.id);
  }
  return bots;
}

/** No bot answers more at once than it may, whichever session dies and whichever call is lost. */
function checkFlights({ flights, slots, jumps }: BotFacts, report: Report): void {
  for (const [index, flight] of flights.entries()) {
    const most = slots[flight.bot];
    if (most === undefined || flight.isSkewed) continue;
    const at = flight.startAt;
    const others = flights.slice(0, index).filter((other) => {
      if (other.bot !== flight.bot || other.isSkewed || (other.endAt ?? Infinity) <= at) return false;
      return other.dueAt === null || other.dueAt > at || !isJumped(other.dueAt, jumps);
    });
    if (others.length < most) continue;
    const names = others.map(({ who }) => who).join(', ');
    report('slots', `${flight.bot} answers ${flight.who} at ${at} beside ${names}, and has ${most} slots`);
  }
}

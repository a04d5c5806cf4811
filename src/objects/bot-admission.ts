/** Answers the calls of sessions and gives free slots away: who may begin, who waits and for what, who must end. */
import { isUsedUp } from '../bots/budget.ts';
import { mayBegin } from '../bots/breaker.ts';
import { FairLine, type LineClaim } from '../bots/line.ts';
import { runningCallMs, waitingCallMs } from '../bots/pace.ts';
import type { TurnErrorCode } from '../protocol/codes.ts';
import type { BotCounters } from './bot-counters.ts';
import type { BotHealth } from './bot-health.ts';
import type { BotPorts } from './bot-ports.ts';
import type { BotStatus, SessionCall, SessionReport, TurnClaim, TurnReport, Verdict, WaitReason } from './bot-rpc.ts';
import type { BotSessions } from './bot-sessions.ts';
import { hasLeases, type BotLimits, type BotSettings } from './bot-settings.ts';
import type { BotRecord, BotStore } from './bot-store.ts';
import type { BotWaker } from './bot-waker.ts';
import { Places } from './bot-places.ts';

/** How long a session may generate without a further 'go'. */
export const LEASE_MS = 5_000;
/** The answer travels, and clocks differ in pace: a slot is free only this much later. */
const LEASE_SLACK_MS = 1_000;
/** Turns that are kept in the line at most, also while no bound on slots applies; beyond it sessions poll. */
const MAX_LINE = 10_000;
/** A waiting turn of which nothing was heard for so long is forgotten. */
const FORGET_WAITING_MS = 10 * 60_000;
const DROP_EVERY_MS = 60_000;

export interface AdmissionParts {
  store: BotStore;
  ports: BotPorts;
  counters: BotCounters;
  sessions: BotSessions;
  settings: BotSettings;
  health: BotHealth;
  waker: BotWaker;
}

type Closed = Extract<WaitReason, 'stopped' | 'paused' | 'endpoint'>;

export class Admission {
  readonly #parts: AdmissionParts;
  readonly #line: FairLine;
  readonly #places: Places;
  #droppedAt: number;

  constructor(parts: AdmissionParts) {
    this.#parts = parts;
    const now = parts.ports.now();
    this.#line = new FairLine(parts.store, parts.store.line(), now, now + LEASE_MS + LEASE_SLACK_MS);
    this.#places = new Places(this.#line);
    this.#droppedAt = now;
  }

  attend(call: SessionCall, record: BotRecord): { verdict: Verdict; counted: boolean } {
    const { ports, sessions, counters } = this.#parts;
    const now = ports.now();
    this.#parts.waker.spare(call.session);
    const told = call.others?.map((other) => this.#told(other, sessions.reported(other, now), now)) ?? [];
    told.push(this.#told(call, sessions.heard(call, now), now));
    if (call.left) this.#leave(call.session);
    const failures = counters.lastError;
    const verdict = this.#verdict(call, record, now);
    this.#serve(now, record, call.session);
    return { verdict, counted: told.includes(true) || counters.lastError !== failures || isMoving(verdict) };
  }

  /** What time alone brings: leases that end, budgets that are new, deadlines. */
  step(now: number, record: BotRecord): void {
    for (const { session } of this.#line.expire(now)) this.#parts.health.note({ type: 'turn_left', session });
    if (now - this.#droppedAt >= DROP_EVERY_MS) {
      this.#droppedAt = now;
      this.#line.drop(now - FORGET_WAITING_MS);
    }
    this.#serve(now, record, null);
  }

  /** When `step` has something to do (ms since 1970). */
  nextAt(now: number, record: BotRecord): number | null {
    const expiry = this.#line.nextExpiry();
    const { turnsPerMinute } = this.#parts.settings.limits(record);
    const waitMs = this.#line.waiting === 0 ? 0 : this.#parts.counters.rate.waitMs(turnsPerMinute, now);
    if (waitMs === 0 || this.#closedBy(record, null, now) !== null) return expiry;
    return Math.min(expiry ?? Infinity, now + waitMs);
  }

  /** Whether anybody needs the endpoint just now. */
  isBusy(now: number, record: BotRecord): boolean {
    if (this.#line.leased > 0 || this.#parts.sessions.running(now) > 0) return true;
    return record.desired === 'running' && this.#line.waiting > 0;
  }

  /** What kept everybody waiting may be over: whoever waits is told to ask again. */
  opened(now: number, record: BotRecord): void {
    if (!record.deleted && this.#closedBy(record, null, now) !== null) return;
    this.#serve(now, record, null);
    for (const { session } of this.#line.order()) this.#parts.waker.wake(session);
    // Then those that are passed over: they may wait all the same.
    for (const { session } of this.#line.waitingEntries()) this.#parts.waker.wake(session);
  }

  figures(now: number, record: BotRecord): Pick<BotStatus, 'running' | 'queued' | 'slots' | 'queueLimit'> {
    const { slots, queueLength } = this.#parts.settings.limits(record);
    return {
      running: Math.max(this.#line.leased, this.#parts.sessions.running(now)),
      queued: this.#line.waiting,
      slots,
      queueLimit: slots === null ? null : queueLength,
    };
  }

  #verdict(call: SessionCall, record: BotRecord, now: number): Verdict {
    const { claim, session } = call;
    if (claim === null) {
      // Others go first until it asks, if ever.
      if (!call.waits) this.#line.doubt(session);
      return { do: 'nothing' };
    }
    const known = this.#line.get(session);
    // A call that comes late: the session asks for something else by now, and what that holds is not given away.
    const isOutdated = known?.turn === claim.turn && known.attempt > claim.attempt;
    if (isOutdated || this.#parts.sessions.isOver(session, claim)) return { do: 'nothing' };
    if (claim.progressed) this.#parts.health.note({ type: 'turn_progressed', session });
    const unable = this.#unable(record);
    if (unable !== null) {
      this.#leave(session);
      return { do: 'fail', code: 'bot_unavailable', message: unable };
    }
    return claim.phase === 'running' ? this.#goOn(call, claim, record, now) : this.#begin(call, claim, record, now);
  }

  #unable(record: BotRecord): string | null {
    if (record.deleted) return 'The bot was deleted.';
    return this.#parts.settings.problem(record) === null ? null : 'The bot cannot be used as it is defined.';
  }

  /** A turn that runs. */
  #goOn(call: SessionCall, claim: TurnClaim, record: BotRecord, now: number): Verdict {
    const { settings } = this.#parts;
    const limits = settings.limits(record);
    const graceLeftMs = record.desired === 'stopped' ? record.stoppedAt + limits.graceMs - now : Infinity;
    if (graceLeftMs <= 0) {
      this.#leave(call.session);
      return { do: 'fail', code: 'bot_stopped', message: 'The bot was stopped.' };
    }
    this.#parts.health.note({ type: 'turn_begun', session: call.session });
    const lineClaim = claimOf(call, claim);
    if (!hasLeases(limits)) return this.#go(call, record, null, graceLeftMs, now);
    if (this.#line.renew(lineClaim, now, leaseUntil(now))) return this.#go(call, record, LEASE_MS, graceLeftMs, now);
    // It began without a lease, before there was a limit: it goes on, and others wait for it.
    if (call.revision !== record.revision) {
      this.#line.adopt(lineClaim, now, leaseUntil(now));
      return this.#go(call, record, LEASE_MS, graceLeftMs, now);
    }
    return this.#queue(call, lineClaim, record, limits, now);
  }

  /** A turn that wants to begin. */
  #begin(call: SessionCall, claim: TurnClaim, record: BotRecord, now: number): Verdict {
    const { settings, counters } = this.#parts;
    const limits = settings.limits(record);
    const lineClaim = claimOf(call, claim);
    const reason = this.#closedBy(record, call.session, now);
    if (reason !== null && !this.#line.holds(lineClaim)) {
      if (reason === 'endpoint' && this.#isOverdue(call.session, record, limits, now)) return this.#late(call, now);
      this.#remember(lineClaim, now);
      return { do: 'wait', reason, place: 0, callAgainMs: this.#waitingCallMs(reason) };
    }
    if (limits.tokensPerDay !== null && isUsedUp(counters.tokens, limits.tokensPerDay, now)) {
      return this.#refuse(call, 'budget_exhausted', "The bot's tokens for today are used up.", now);
    }
    if (hasLeases(limits)) return this.#queue(call, lineClaim, record, limits, now);
    this.#parts.health.note({ type: 'turn_begun', session: call.session });
    return this.#go(call, record, null, Infinity, now);
  }

  /** Before a limited bot: a slot, a place, or no room. */
  #queue(call: SessionCall, claim: LineClaim, record: BotRecord, limits: BotLimits, now: number): Verdict {
    const line = this.#line;
    const { session } = call;
    const isOpen = this.#closedBy(record, session, now) === null;
    if (line.holds(claim) && isOpen) {
      line.renew(claim, now, leaseUntil(now));
      return this.#go(call, record, LEASE_MS, Infinity, now);
    }
    if (!line.waits(session)) {
      const room = line.waiting < Math.min(limits.queueLength, MAX_LINE);
      const isFree = isOpen && line.waiting === 0 && this.#hasSlot(limits, now);
      if (isFree) {
        line.adopt(claim, now, leaseUntil(now));
        this.#granted(session, limits, now);
        return this.#go(call, record, LEASE_MS, Infinity, now);
      }
      // A slot that it held for something older is its own to wait with.
      if (!room && !line.get(session)) {
        return this.#refuse(call, 'line_full', `${line.waiting} turns wait for this bot already.`, now);
      }
    } else if (this.#isOverdue(session, record, limits, now)) return this.#late(call, now);
    line.join(claim, now);
    this.#serve(now, record, session);
    if (line.holds(claim)) return this.#go(call, record, LEASE_MS, Infinity, now);
    const rateMs = this.#parts.counters.rate.waitMs(limits.turnsPerMinute, now);
    const reason = this.#closedBy(record, session, now) ?? (rateMs > 0 ? 'rate' : 'line');
    return { do: 'wait', reason, place: this.#places.of(session, now), callAgainMs: this.#waitingCallMs(reason) };
  }

  /** Gives away what is free; `here`: the session that is being answered needs no waking. */
  #serve(now: number, record: BotRecord, here: string | null): void {
    const limits = this.#parts.settings.limits(record);
    if (!hasLeases(limits) || this.#unable(record) !== null) return;
    if (limits.tokensPerDay !== null && isUsedUp(this.#parts.counters.tokens, limits.tokensPerDay, now)) return;
    while (this.#line.waiting > 0 && this.#closedBy(record, null, now) === null && this.#hasSlot(limits, now)) {
      const entry = this.#line.grantNext(limits.slots, leaseUntil(now));
      if (entry === null) return;
      this.#granted(entry.session, limits, now);
      if (entry.session !== here) this.#parts.waker.wake(entry.session);
    }
  }

  #hasSlot({ slots, turnsPerMinute }: BotLimits, now: number): boolean {
    if (slots !== null && this.#line.leased >= slots) return false;
    return this.#parts.counters.rate.waitMs(turnsPerMinute, now) === 0;
  }

  #granted(session: string, { turnsPerMinute }: BotLimits, now: number): void {
    this.#parts.counters.rate.begun(now);
    // With the grant: an object that sleeps after ten quiet seconds would begin a new minute each time.
    if (turnsPerMinute !== null) this.#parts.store.saveCounters(this.#parts.counters.kept());
    this.#parts.health.note({ type: 'turn_begun', session });
  }

  /** What keeps turns from beginning; `session`: the one that asks, null for anyone. */
  #closedBy(record: BotRecord, session: string | null, now: number): Closed | null {
    if (record.desired !== 'running') return record.desired;
    const { health } = this.#parts;
    const isBeingTried = record.starting && !health.reached;
    return isBeingTried || !mayBegin(health.breaker, session ?? '', now) ? 'endpoint' : null;
  }

  #go(call: SessionCall, record: BotRecord, leaseMs: number | null, graceLeftMs: number, now: number): Verdict {
    this.#parts.sessions.began(call.session);
    // It may have waited until now, or until it began unasked.
    if (leaseMs === null) this.#line.leave(call.session);
    const callAgainMs = Math.ceil(Math.min(graceLeftMs, runningCallMs(this.#parts.sessions.running(now))));
    const { revision, spec } = record;
    const told = call.revision === revision ? {} : { spec };
    const { settings, health } = this.#parts;
    const isPlain = leaseMs === null && settings.limits(record).tokensPerDay === null;
    // A turn on trial is one, and what goes on while the bot stops, pauses or is being launched brings nobody in.
    const unasked = isPlain && health.breaker.state === 'closed' && this.#closedBy(record, null, now) === null;
    return { do: 'go', revision, ...told, leaseMs, callAgainMs, unasked };
  }

  #waitingCallMs(reason: WaitReason): number {
    return waitingCallMs(this.#line.waiting, isHeldBack(reason));
  }

  /** Who waits for something else than a slot is kept, too: to be woken, and to be first once there are slots. */
  #remember(claim: LineClaim, now: number): void {
    if (this.#line.size < MAX_LINE || this.#line.get(claim.session)) this.#line.join(claim, now);
  }

  /** Waiting counts from when the bot was last opened: a stop is nobody's fault who waited through it. */
  #isOverdue(session: string, { openSince }: BotRecord, { queueTimeoutMs }: BotLimits, now: number): boolean {
    const entry = this.#line.get(session);
    return entry?.grant === 0 && now - Math.max(Math.floor(entry.since), openSince) >= queueTimeoutMs;
  }

  #late(call: SessionCall, now: number): Verdict {
    return this.#refuse(call, 'line_timeout', "The turn's time to wait for this bot is over.", now);
  }

  #refuse(call: SessionCall, code: TurnErrorCode, message: string, now: number): Verdict {
    this.#leave(call.session);
    const turn = { session: call.session, turn: call.claim?.turn ?? 0 };
    this.#parts.counters.failed(code, message, turn, now);
    return { do: 'fail', code, message };
  }

  /** `ended`: what of the report is new. True where anything was counted. */
  #told(report: SessionReport, ended: readonly TurnReport[], now: number): boolean {
    for (const one of ended) this.#ended(one, report.session, now);
    return this.#parts.counters.heard(report, now) || ended.length > 0;
  }

  #ended(report: TurnReport, session: string, now: number): void {
    const { counters, health } = this.#parts;
    counters.ended(report, session, now);
    if (report.outcome === 'reply') health.note({ type: 'turn_succeeded' });
    else if (report.outcome === 'failed' && report.code !== undefined) {
      health.note({ type: 'turn_failed', code: report.code, session }, report.message);
    } else health.note({ type: 'turn_left', session });
    const { turn, attempt } = report;
    const entry = this.#line.get(session);
    if (entry?.turn === turn && entry.attempt <= attempt) this.#line.leave(session);
  }

  #leave(session: string): void {
    this.#line.leave(session);
    this.#parts.sessions.left(session);
    this.#parts.health.note({ type: 'turn_left', session });
  }
}

function claimOf({ session, user }: SessionCall, { turn, attempt, priority }: TurnClaim): LineClaim {
  return { session, user, turn, attempt, priority };
}

function leaseUntil(now: number): number {
  return now + LEASE_MS + LEASE_SLACK_MS;
}

/** A line that grows or stands is news. Not where a person holds it back: that shall cost nothing. */
function isMoving(verdict: Verdict): boolean {
  if (verdict.do === 'go') return true;
  return verdict.do === 'wait' && !isHeldBack(verdict.reason);
}

/** By a person, which may last for days. */
function isHeldBack(reason: WaitReason): boolean {
  return reason === 'stopped' || reason === 'paused';
}

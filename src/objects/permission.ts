/**
 * A session's dealings with the bots that answer it. A turn asks its bot before it begins, says once
 * a second that it waits or goes on, and how it ended. A bot without limits lets turns begin unasked
 * for a while, in all sessions of the process, so it costs the way to the first token nothing.
 *
 *   enter --> asking --'go'--> running --heartbeats 'go'--> ended
 *               | 'wait'         | 'wait', or a lease that could not be renewed: lost, enter again
 *               +--> waiting     | 'fail': cut
 */
import { describeError } from '../metrics/describe-error.ts';
import type { TurnWait } from '../protocol/server-frames.ts';
import type { BotRef } from '../protocol/values.ts';
import { TurnFailure } from '../responders/port.ts';
import type { SessionAnswer, TurnClaim, TurnReport } from './bot-rpc.ts';
import { BotCalls, type CallFacts } from './bot-calls.ts';
import type { Permit, SessionPorts } from './ports.ts';

/** A call that failed is made again after this, doubling. */
const RETRY_FIRST_MS = 100;
const RETRY_LAST_MS = 5_000;
/** A generation is ended this long before its lease is, so that the next holder never meets it. */
const LEASE_MARGIN_MS = 1_000;
/** Longer waits are slept through, without a timer: the bot wakes the session, or its alarm does. */
const MAX_AWAKE_WAIT_MS = 2_000;

/** Ends nothing; one for all, since each session has three such ends. */
const NOTHING = (): void => undefined;

/** A turn, and who is to answer it. */
export interface Order {
  bot: BotRef;
  turn: number;
  attempt: number;
  priority: number;
}

/** What a running turn's holder is told. */
export interface Holder {
  /** The turn must end, with this failure. */
  cut(failure: TurnFailure): void;
  /** What runs must end, and be begun anew once there is permission. */
  lost(): void;
}

export interface WaitListener {
  /** What the turn waits for, or that it waits, has changed. */
  onWait(): void;
  /** A long wait is over: the process must stay awake for what comes now. */
  onAwake(): void;
  /** So many of the session's connections are more than its user may have. */
  onExcess(connections: number): void;
}

interface Current {
  order: Order;
  phase: TurnClaim['phase'];
  since: number;
  /** Null: there is no lease to lose. */
  leaseUntil: number | null;
  /** The lease for whose end a timer is set. */
  guardedUntil: number | null;
  granted: boolean;
  /** The first call, where it was made ahead and `enter` has not waited for it yet. */
  asked: Promise<SessionAnswer | null> | null;
  progressed: boolean;
}

export class Permission {
  readonly #ports: SessionPorts<unknown>;
  readonly #calls: BotCalls;
  readonly #listener: WaitListener;
  #current: Current | null = null;
  #waiting: TurnWait | null = null;
  #idleUntil: number | null = null;
  /** Ends the pause between two calls of a turn that waits. */
  #endPause = NOTHING;
  #stopBeating = NOTHING;
  #stopGuard = NOTHING;

  constructor(ports: SessionPorts<unknown>, facts: CallFacts, listener: WaitListener) {
    this.#ports = ports;
    const told: CallFacts = (bot) => (this.#waitsFor(bot) ? { ...facts(bot), waits: true } : facts(bot));
    this.#calls = new BotCalls(ports, told, (connections) => listener.onExcess(connections));
    this.#listener = listener;
  }

  /** What the running turn waits for; null when it does not. */
  get waiting(): TurnWait | null {
    return this.#waiting;
  }

  /** Until when (ms since 1970) the wait is slept through; null when the turn runs, or will be asked for soon. */
  get idleUntil(): number | null {
    return this.#idleUntil;
  }

  /** Asks for leave for which `enter` is going to wait: it comes while the turn's beginning is being written. */
  askAhead(order: Order): void {
    const current = this.#take(order);
    if (!current.granted) current.asked = this.#ask(current);
  }

  /**
   * Resolves when the turn may begin.
   * @throws TurnFailure when it never may; the signal's reason when it was aborted
   */
  async enter(order: Order, signal: AbortSignal): Promise<Permit> {
    const current = this.#take(order);
    if (!current.granted) await this.#obtain(current, signal);
    const { spec, revision } = this.#calls.known(order.bot);
    return { bot: order.bot, spec, revision, waitedMs: Math.max(0, this.#ports.now() - current.since) };
  }

  /** Asks until there is leave. Throws what `enter` throws. */
  async #obtain(current: Current, signal: AbortSignal): Promise<void> {
    const onAbort = (): void => this.#endPause();
    signal.addEventListener('abort', onAbort, { once: true });
    try {
      for (let failures = 0; ;) {
        const answer = await (current.asked ?? this.#ask(current));
        current.asked = null;
        signal.throwIfAborted();
        if (answer?.do === 'go') return;
        if (answer?.do === 'fail') throw new TurnFailure(answer.code, answer.message);
        if (answer?.do === 'wait') {
          failures = 0;
          this.#setWaiting({ reason: answer.reason, place: answer.place });
          await this.#pause(answer.callAgainMs);
        } else {
          await this.#pause(Math.min(RETRY_LAST_MS, RETRY_FIRST_MS * 2 ** failures));
          failures += 1;
        }
        signal.throwIfAborted();
      }
    } finally {
      signal.removeEventListener('abort', onAbort);
      this.#setWaiting(null);
    }
  }

  /** The claim of `order`; the one that is held or was asked for already, where that is for the same attempt. */
  #take(order: Order): Current {
    const held = this.#current;
    const isSame = held?.order.turn === order.turn && held.order.attempt === order.attempt;
    if (held && isSame && (held.granted || held.asked) && held.order.bot.id === order.bot.id) return held;
    // Another attempt at the same turn takes over its place.
    if (held?.order.turn === order.turn && held.order.bot.id === order.bot.id) this.#release();
    else if (held) this.leave();
    const granted = this.#calls.takeLeave(order.bot);
    const since = this.#ports.now();
    const lease = { leaseUntil: null, guardedUntil: null };
    const current: Current = { order, phase: 'waiting', since, ...lease, granted, asked: null, progressed: false };
    this.#current = current;
    return current;
  }

  /** The answer that has been begun: tells the bot that it goes on, and `holder` when it must not. */
  hold(holder: Holder): void {
    const current = this.#current;
    if (!current) return;
    current.phase = 'running';
    this.#beatLater(current, holder);
  }

  /** Something came of the answer. */
  progressed(): void {
    if (this.#current) this.#current.progressed = true;
  }

  /** The turn ended; the bot is told soon, at once where others wait for its place. */
  ended(report: TurnReport): void {
    const current = this.#release();
    if (current) this.#calls.ended(current.order.bot, report, current.leaseUntil !== null);
  }

  /** The turn will not begin after all, or is erased. */
  leave(): void {
    const current = this.#release();
    this.#endPause();
    if (current && (!current.granted || current.leaseUntil !== null)) this.#calls.leave(current.order.bot);
  }

  /** The bot has news, or it is time: asks again now. */
  askAgain(): void {
    this.#endPause();
  }

  /** Connections came or went, or something else that a bot counts: it is told soon. */
  reportSoon(bot: BotRef): void {
    this.#calls.reportSoon(bot);
  }

  /** Null: the call failed, or was about something else by the time it was answered. */
  async #ask(current: Current): Promise<SessionAnswer | null> {
    const { order, phase, progressed } = current;
    const { bot, turn, attempt, priority } = order;
    current.progressed = false;
    const askedAt = this.#ports.now();
    try {
      const answer = await this.#calls.call(bot, () =>
        // By the time a call's turn comes the world may have moved on: then it only reports.
        this.#current === current ? { turn, attempt, priority, phase, progressed } : null,
      );
      if (answer.do === 'go') {
        current.granted = true;
        current.leaseUntil = answer.leaseMs === null ? null : askedAt + answer.leaseMs;
      }
      return answer;
    } catch (error) {
      this.#ports.report('bot_call_failed', { bot: bot.id, turn, attempt, ...describeError(error) });
      return null;
    }
  }

  #waitsFor(bot: string): boolean {
    return this.#waiting !== null && this.#current?.order.bot.id === bot;
  }

  #setWaiting(waiting: TurnWait | null): void {
    const was = this.#waiting;
    this.#waiting = waiting;
    if (was?.reason !== waiting?.reason || was?.place !== waiting?.place) this.#listener.onWait();
  }

  #pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const isLong = ms > MAX_AWAKE_WAIT_MS;
      const cancel = isLong ? NOTHING : this.#ports.setTimer(() => this.#endPause(), ms);
      this.#idleUntil = isLong ? this.#ports.now() + ms : null;
      this.#endPause = () => {
        cancel();
        this.#endPause = NOTHING;
        this.#idleUntil = null;
        resolve();
        if (isLong) this.#listener.onAwake();
      };
    });
  }

  #beatLater(current: Current, holder: Holder): void {
    // Once for each lease: set anew by a clock that was put back meanwhile, it would come too late.
    if (current.guardedUntil !== current.leaseUntil) this.#guard(current, holder);
    const ms = this.#calls.heartbeatMs(current.order.bot);
    this.#stopBeating = this.#ports.setTimer(() => void this.#beat(current, holder), ms);
  }

  /** Ends what runs before its lease does. A timer of its own: the bot may be silent for longer than the lease has left. */
  #guard(current: Current, holder: Holder): void {
    const { leaseUntil } = current;
    this.#stopGuard();
    current.guardedUntil = leaseUntil;
    if (leaseUntil !== null) {
      const leftMs = leaseUntil - LEASE_MARGIN_MS - this.#ports.now();
      this.#stopGuard = this.#ports.setTimer(() => this.#lose(current, holder), Math.max(0, leftMs));
    }
  }

  async #beat(current: Current, holder: Holder): Promise<void> {
    const answer = await this.#ask(current);
    if (this.#current !== current) return;
    if (answer?.do === 'fail') return holder.cut(new TurnFailure(answer.code, answer.message));
    if (answer?.do === 'wait') return this.#lose(current, holder);
    this.#beatLater(current, holder);
  }

  #lose(current: Current, holder: Holder): void {
    if (this.#current !== current) return;
    this.#release();
    holder.lost();
  }

  /** Nothing is held any more; returns what was. */
  #release(): Current | null {
    const current = this.#current;
    this.#stopBeating();
    this.#stopGuard();
    // They know the answer that has ended, and would keep it until the next one.
    this.#stopBeating = NOTHING;
    this.#stopGuard = NOTHING;
    this.#current = null;
    return current;
  }
}

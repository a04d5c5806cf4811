/**
 * The one turn that a session runs: asks its bot for permission, generates, and brings the outcome
 * back as a command. What is cut off by a stop, a new attempt or the end of the session is dropped.
 */
import type { RecentTurns } from '../log/recent-turns.ts';
import { mentionIn } from '../protocol/mention.ts';
import type { LogRecord } from '../protocol/records.ts';
import type { BotRef } from '../protocol/values.ts';
import type { Command } from '../session/command.ts';
import type { SessionState } from '../session/state.ts';
import type { CallFacts } from './bot-calls.ts';
import { Generation, type Outcome } from './generation.ts';
import { Permission } from './permission.ts';
import type { Permit, SessionPorts } from './ports.ts';
import type { RunningAnswer } from './tabs.ts';
import type { TurnWait } from '../protocol/server-frames.ts';

/** Who cannot be found in this time is not answered by: the message is an ordinary one, and the turn goes on. */
const LOOKUP_TIMEOUT_MS = 5_000;

/** What the runner needs of its session. */
export interface TurnHost {
  /** Its id. */
  session: string;
  state(): SessionState;
  turns: RecentTurns;
  facts: CallFacts;
  dispatch(command: Command): void;
  /** The answer has grown. */
  onProgress(): void;
  /** What the turn waits for has changed. */
  onWait(): void;
  /** A turn that slept needs this process awake. */
  onAwake(): void;
  /** So many of the session's connections are more than its user may have. */
  onExcess(connections: number): void;
}

/** Who is asked, and what. */
interface Route {
  bot: BotRef;
  text: string;
}

/** Leave to begin. */
interface Leave extends Route {
  permit: Permit;
}

export class TurnRunner {
  readonly #host: TurnHost;
  readonly #ports: SessionPorts<unknown>;
  readonly #permission: Permission;
  #generation: Generation | null = null;
  /** Of the attempt that has leave and is being begun: looking its bot up again would take time, and leave ends. */
  #routed: { turn: number; route: Route } | null = null;

  constructor(host: TurnHost, ports: SessionPorts<unknown>) {
    this.#host = host;
    this.#ports = ports;
    this.#permission = new Permission(ports, host.facts, host);
  }

  /** The answer that is being generated; null also while its turn waits for permission. */
  get answer(): RunningAnswer | null {
    return this.#generation?.hasBegun ? this.#generation : null;
  }

  get waiting(): TurnWait | null {
    return this.#permission.waiting;
  }

  /** Until when (ms since 1970) the turn sleeps; null when it needs this process awake. */
  get idleUntil(): number | null {
    return this.#permission.idleUntil;
  }

  askAgain(): void {
    this.#permission.askAgain();
  }

  /** Something that bots count has changed. */
  reportSoon(): void {
    this.#permission.reportSoon(this.#host.state().bot);
  }

  /** The session has another bot than `before`: both count its connections anew. */
  botChanged(before: BotRef): void {
    this.#permission.reportSoon(before);
    this.reportSoon();
  }

  /** What the running answer has so far, for a stop. */
  partial(turn: number): ReturnType<Generation['partial']> {
    return this.#generation?.turn === turn ? this.#generation.partial() : { text: '' };
  }

  /**
   * Writes `records`, after which `state` holds, and asks for leave meanwhile where a message among them begins a turn:
   * what is sent after a write waits until that is durable, and a first token must not wait for one and then the other.
   * @throws what `write` throws
   */
  askWhile(records: readonly LogRecord[], { bot, running }: SessionState, write: () => void): void {
    const message = records.find((record) => record.kind === 'message');
    // Who else may be meant by the text is looked up later.
    const isAhead = message !== undefined && running?.turn === message.seq && !mentionIn(message.text);
    if (isAhead)
      this.#permission.askAhead({ bot, turn: running.turn, attempt: running.attempt, priority: running.priority });
    try {
      write();
    } catch (error) {
      if (isAhead) this.#permission.leave();
      throw error;
    }
  }

  /** Begins the attempt that the session's state says is running. Never rejects. */
  async run(turn: number, attempt: number): Promise<void> {
    const generation = this.#hold(turn, attempt);
    const leave = await this.#leaveFor(generation, attempt);
    if (!leave) return;
    const { permit, text } = leave;
    const outcome = await generation.run(
      permit,
      (signal) => {
        this.#permission.hold({
          cut: (failure) => generation.cut(failure),
          lost: () => this.#lose(generation),
        });
        const { bot, spec } = permit;
        return this.#ports.answer({ bot, spec, text, history: this.#host.turns.before(turn) }, signal);
      },
      () => {
        this.#permission.progressed();
        this.#host.onProgress();
      },
    );
    if (outcome) this.#finish(generation, outcome);
  }

  /**
   * Goes on with a turn that the process before left running. Whether it had begun nobody knows: it
   * counts as begun again only once it may, so that waiting through restarts never uses it up. `lost`: what
   * this process had begun of the attempt, and may not go on with.
   */
  async resume(turn: number, attempt: number, lost?: Generation): Promise<void> {
    const generation = this.#hold(turn, attempt);
    if (lost) generation.keep(lost);
    const leave = await this.#leaveFor(generation, attempt + 1);
    if (!leave) return;
    this.#generation = null;
    this.#routed = { turn, route: leave };
    this.#host.dispatch({ type: 'recover' });
    this.#routed = null;
    // It was given up instead (S14): the leave is nobody's, least of all the next turn's.
    if (this.#host.state().running?.turn !== turn) this.#permission.leave();
  }

  /** Ends what is generated for `(turn, attempt)`; nothing more comes of it. */
  abort(turn: number, attempt: number): void {
    const generation = this.#generation;
    if (generation?.turn === turn && generation.attempt === attempt) this.end();
  }

  /** Ends whatever is generated. */
  end(): void {
    const generation = this.#generation;
    this.#generation = null;
    generation?.abort();
    if (generation) this.#ended(generation, null);
    else this.#permission.leave();
  }

  #hold(turn: number, attempt: number): Generation {
    const generation = new Generation(turn, attempt, this.#ports);
    this.#generation = generation;
    return generation;
  }

  /** Null: the turn was ended meanwhile, or has just been ended here. */
  async #leaveFor(generation: Generation, attempt: number): Promise<Leave | null> {
    const { turn } = generation;
    const routed = this.#routed?.turn === turn ? this.#routed.route : null;
    const result = await generation.ask(async (signal) => {
      const { bot, text } = routed ?? (await this.#route(this.#host.turns.question(turn)));
      signal.throwIfAborted();
      const priority = this.#host.state().running?.priority ?? 0;
      return { bot, text, permit: await this.#permission.enter({ bot, turn, attempt, priority }, signal) };
    });
    if (this.#generation !== generation || result === null) return null;
    if (!('kind' in result)) return result;
    this.#finish(generation, result);
    return null;
  }

  #finish(generation: Generation, outcome: Outcome): void {
    if (this.#generation !== generation) return;
    this.#generation = null;
    this.#ended(generation, outcome);
    this.#host.dispatch({ type: 'finish', outcome });
  }

  /** `outcome` null: stopped by a person. */
  #ended(generation: Generation, outcome: Outcome | null): void {
    const report = generation.report(outcome);
    // The code says it; sentences stay out of the log.
    const { message: _message, code = null, ...rest } = report;
    const bot = generation.bot ?? this.#host.state().bot.id;
    this.#ports.note('turn', { session: this.#host.session, bot, code, ...rest });
    if (generation.hasBegun) this.#permission.ended(report);
    else this.#permission.leave();
  }

  /** Permission went away in the middle: the turn is begun anew once it is back. */
  #lose(generation: Generation): void {
    if (this.#generation !== generation) return;
    generation.abort();
    void this.resume(generation.turn, generation.attempt, generation);
  }

  /** Who answers, and what they are asked: a name that is no bot's is part of the text. */
  async #route(text: string): Promise<Route> {
    const own = this.#host.state().bot;
    const named = mentionIn(text);
    if (!named) return { bot: own, text };
    const bot = named.bot === own.id ? own : await this.#find(named.bot);
    return bot ? { bot, text: named.rest || text } : { bot: own, text };
  }

  #find(id: string): Promise<BotRef | null> {
    return new Promise((resolve, reject) => {
      const cancel = this.#ports.setTimer(() => resolve(null), LOOKUP_TIMEOUT_MS);
      this.#ports.findBot(id).then(resolve, reject).finally(cancel);
    });
  }
}

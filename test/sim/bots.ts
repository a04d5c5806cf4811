/** The bots of one run: the calls that sessions make to them, what becomes of those on their way, and who else is served. */
import type { SessionAnswer, SessionCall, Verdict, WaitReason } from '../../src/objects/bot-rpc.ts';
import type { BotRef } from '../../src/protocol/values.ts';
import { affordable, SimBot, type Limits } from './bot.ts';
import { ALL_BOTS, NO_BOT_FAULTS, refOf, type BotFaults } from './bot-names.ts';
import type { BotCall, Flight } from './history.ts';
import type { Host } from './host.ts';
import type { Process } from './process.ts';
import { Rival } from './rival.ts';
import { stateOf } from './session-notes.ts';
import type { Database } from './storage.ts';
import type { Happening, World } from './world.ts';

/** A session gives up on a call by then; what comes later, it does not hear. */
const CALL_TIMEOUT_MS = 2_000;
const LOOKUP_TIMEOUT_MS = 5_000;
const REASONS: WaitReason[] = ['line', 'stopped', 'paused', 'endpoint', 'rate'];

/** One call on its way, or its answer. */
interface UnderWay {
  bot: string;
  caller: Process;
  call: SessionCall;
  /** It leaves the object when everything written before it is durable. */
  gate: number;
  /** It does not arrive before this (elapsed time). */
  notBefore: number;
  answer: SessionAnswer | null;
  /** The answer leaves the bot when everything that it wrote is durable. */
  answerGate: number;
  resolve: (answer: SessionAnswer) => void;
  reject: (error: Error) => void;
}

interface Lookup {
  id: string;
  caller: Process;
  askedAt: number;
  resolve: (bot: BotRef | null) => void;
}

export class SimBots {
  faults: BotFaults = NO_BOT_FAULTS;
  /** How long a look-up of a name takes. */
  lookupMs = 0;
  /** What the next running turn is told, whatever its bot would say. */
  says: SessionAnswer | null = null;
  /** No call is answered for now. */
  silent = false;
  /** Every bot lets everyone begin at once, and nothing of it is looked at. */
  free = true;
  /** A second session has to do with the same bots; otherwise with one that lets it begin at once. */
  sharing = false;
  /** What each bot is allowed; one that is not named has no limits. */
  limits: Readonly<Record<string, Limits>> = {};
  /** Bots whose limits change: how many may be in flight is not known then. */
  readonly shifty = new Set<string>();
  calls: UnderWay[] = [];
  lookups: Lookup[] = [];
  wakes: string[] = [];
  readonly flights: Flight[] = [];
  readonly #world: World;
  readonly #databases: readonly Database[];
  readonly #bots = new Map<string, SimBot>();
  readonly #rivals: Rival[] = [];

  constructor(world: World, databases: readonly Database[]) {
    this.#world = world;
    this.#databases = databases;
  }

  close(): void {
    for (const { storage } of this.#bots.values()) storage.close();
  }

  bot(id: string): SimBot {
    const known = this.#bots.get(id);
    if (known) return known;
    const db = this.#databases[ALL_BOTS.indexOf(id)];
    if (!db) throw new Error(`there is no bot ${id}`);
    const { timeline } = this.#world;
    const bot = new SimBot(id, this.limits[id] ?? {}, db, {
      timeline,
      wallClock: () => this.#world.wallClock(),
      wake: (session) => this.#wake(session),
    });
    this.#bots.set(id, bot);
    return bot;
  }

  get made(): SimBot[] {
    return [...this.#bots.values()];
  }

  isFree(host: Host): boolean {
    return this.free || (host !== this.#world.host && !this.sharing);
  }

  slotsOf(id: string): number | null {
    return this.shifty.has(id) ? null : (this.limits[id]?.concurrency ?? null);
  }

  addRival(bot: string, turns: number): void {
    const { timeline, chance } = this.#world;
    const attend = (call: SessionCall): Verdict => {
      const verdict = this.bot(bot).attend(call);
      // Whoever it is hears of nothing that is not durable.
      this.bot(bot).storage.flush();
      return verdict;
    };
    this.#rivals.push(
      new Rival(`rival ${this.#rivals.length + 1}`, bot, turns, { timeline, chance, attend }, this.flights),
    );
  }

  /** A session asks a bot. */
  attend(caller: Process, call: SessionCall): Promise<SessionAnswer> {
    return new Promise((resolve, reject) => {
      this.calls.push({
        bot: call.bot.id,
        caller,
        call,
        gate: caller.host.storage.begun,
        notBefore: 0,
        answer: null,
        answerGate: 0,
        resolve,
        reject,
      });
    });
  }

  /** The session goes on with an answer: what it was told, as of now. */
  heard(caller: Process, told: BotCall, answer: SessionAnswer): void {
    const { host } = caller;
    const { now } = this.#world.timeline;
    const { running } = stateOf(host);
    this.#world.note(`  ${told.bot} to ${describeClaim(told.claim)}: ${JSON.stringify(answer)}`);
    host.notes.told.push({
      ...told,
      at: now,
      isLate: now - told.calledAt >= CALL_TIMEOUT_MS,
      isSkewed: host.now() - told.calledClock !== now - told.calledAt,
      running: running && `${running.turn}.${running.attempt}`,
      answer,
    });
  }

  /** Whether there is a bot with this id. */
  find(caller: Process, id: string): Promise<BotRef | null> {
    if (this.isFree(caller.host)) return Promise.resolve(null);
    if (this.faults.lookup === 0 && this.lookupMs === 0 && !this.#world.chance.is(0.2))
      return Promise.resolve(this.#known(id));
    const { timeline } = this.#world;
    if (this.lookupMs > 0) this.#nudge(timeline.now + this.lookupMs);
    return new Promise((resolve) => void this.lookups.push({ id, caller, askedAt: timeline.now, resolve }));
  }

  #known(id: string): BotRef | null {
    return ALL_BOTS.includes(id) ? refOf(id) : null;
  }

  isBusy(process: Process): boolean {
    return [...this.calls, ...this.lookups].some(({ caller }) => caller === process);
  }

  processEnded(process: Process, durable: number): void {
    this.calls = this.calls.filter(({ caller, gate }) => caller !== process || gate <= durable);
    this.lookups = this.lookups.filter(({ caller }) => caller !== process);
  }

  #wake(session: string): void {
    const rival = this.#rivals.find(({ name }) => name === session);
    if (rival) return rival.wake();
    if (this.#fault('wake lost', this.faults.wake)) return;
    if (!this.wakes.includes(session)) this.wakes.push(session);
  }

  happenings(): Happening[] {
    const list: Happening[] = [];
    for (const bot of this.#bots.values()) {
      if (bot.storage.pending > 0) list.push({ label: 'bot flush', weight: 6, run: () => bot.storage.flush() });
    }
    for (const one of this.calls) this.#onCall(one, list);
    for (const lookup of this.lookups) {
      if (this.#world.timeline.now < lookup.askedAt + this.lookupMs) continue;
      list.push({ label: 'bot lookup', weight: 3, run: () => this.#lookUp(lookup) });
    }
    for (const session of this.wakes)
      list.push({ label: `bot wake ${session}`, weight: 3, run: () => this.#deliverWake(session) });
    return list;
  }

  #onCall(one: UnderWay, list: Happening[]): void {
    const { caller, gate, answer, notBefore, bot } = one;
    const { host } = caller;
    if (gate > host.storage.durable || notBefore > this.#world.timeline.now) return;
    if (this.silent && host === this.#world.host) return;
    const isOrphan = !caller.alive;
    const weight = isOrphan ? 0.3 : 5;
    if (answer === null) {
      list.push({ label: `bot call ${bot}${isOrphan ? ' late' : ''}`, weight, run: () => this.#arrive(one) });
    } else if (one.answerGate <= this.bot(bot).storage.durable) {
      list.push({ label: `bot answer ${bot}`, weight, run: () => this.#settle(one, answer) });
    }
  }

  #arrive(one: UnderWay): void {
    const { faults } = this;
    const { chance, timeline } = this.#world;
    const isSpared = one.caller.host !== this.#world.host;
    if (isSpared) return this.#apply(one);
    if (one.caller.alive && chance.is(faults.call)) {
      const kind = chance.next();
      if (kind < 0.25) return this.#fail('bot call fails before effect', one);
      if (kind < 0.5) {
        this.#apply(one);
        return this.#fail('bot call fails after effect', one);
      }
      if (kind < 0.6) return this.#lose('bot call never arrives', one);
      if (kind < 0.7) {
        this.#apply(one);
        return this.#lose('bot never answers', one);
      }
      this.#world.count('bot call slow');
      one.notBefore = timeline.now + chance.between(300, 7_000);
      if (kind < 0.85) this.#apply(one);
      this.#nudge(one.notBefore);
      return;
    }
    if (one.call.claim?.phase === 'running' && this.says) {
      one.answer = this.says;
      this.says = null;
      return;
    }
    if (one.call.claim && this.#fault('bot caprice', faults.caprice)) {
      one.answer = this.#caprice();
      return;
    }
    this.#apply(one);
  }

  /** Time goes on until then, if nothing else is to come before. */
  #nudge(at: number): void {
    const { timeline } = this.#world;
    timeline.after(at - timeline.now, this, () => undefined);
  }

  #apply(one: UnderWay): void {
    const bot = this.bot(one.bot);
    const before = bot.storage.begun;
    one.answer = bot.attend(one.call);
    one.answerGate = bot.storage.begun;
    // Deaths of bots are rare: durable at once is one thing less to happen.
    if (before === bot.storage.begun || this.#world.chance.is(0.8)) bot.storage.flush();
    this.#world.count(`bot says ${one.answer.do}`);
  }

  #caprice(): SessionAnswer {
    const { chance } = this.#world;
    if (chance.is(0.3)) {
      const code = chance.pick(['bot_stopped', 'line_full', 'line_timeout', 'budget_exhausted'] as const);
      return { do: 'fail', code, message: 'It is so.' };
    }
    return {
      do: 'wait',
      reason: chance.pick(REASONS),
      place: chance.between(0, 3),
      callAgainMs: chance.pick([100, 1_000, 3_000, 30_000]),
    };
  }

  #fail(fault: string, one: UnderWay): void {
    this.#world.count(fault);
    this.#drop(one);
    one.reject(new Error('the bot does not answer'));
  }

  #lose(fault: string, one: UnderWay): void {
    this.#world.count(fault);
    this.#drop(one);
  }

  #settle(one: UnderWay, answer: SessionAnswer): void {
    this.#drop(one);
    one.resolve(answer);
  }

  #drop(one: UnderWay): void {
    this.calls = this.calls.filter((other) => other !== one);
  }

  #lookUp(lookup: Lookup): void {
    const { chance } = this.#world;
    this.lookups = this.lookups.filter((other) => other !== lookup);
    const { caller, id, askedAt, resolve } = lookup;
    // By then the session has given up on it.
    if (this.#world.timeline.now - askedAt >= LOOKUP_TIMEOUT_MS) caller.host.notes.missed.push(id);
    if (caller.host === this.#world.host && chance.is(this.faults.lookup)) {
      caller.host.notes.missed.push(id);
      if (chance.is(this.faults.lookupLost)) return this.#world.count('bot lookup never answered');
      this.#world.count('bot lookup fails');
      return resolve(null);
    }
    resolve(this.#known(id));
  }

  #deliverWake(session: string): void {
    this.wakes = this.wakes.filter((other) => other !== session);
    const host = this.#world.hosts.find(({ id }) => id === session);
    this.#world.count('bot wakes');
    host?.enter('wake', (process) => {
      process.guard('wake');
      process.runtime?.wake();
    });
  }

  /** A bot's process ends: who waits for its answer is told so. */
  crash(bot: SimBot): void {
    this.#world.count('bot crash');
    bot.crash(this.#world.chance.between(0, bot.storage.pending));
    for (const one of this.calls) {
      if (one.bot === bot.id && one.answer !== null && one.answerGate > 0) {
        this.#drop(one);
        one.reject(new Error('the bot has ended'));
      }
    }
  }

  #fault(name: string, share: number): boolean {
    const happens = share > 0 && this.#world.chance.is(share);
    if (happens) this.#world.count(name);
    return happens;
  }

  /** No more faults; whoever was stopped is launched. */
  heal(): void {
    this.faults = NO_BOT_FAULTS;
    this.silent = false;
    this.says = null;
    this.lookupMs = 0;
    for (const id of ALL_BOTS) this.limits = { ...this.limits, [id]: affordable(this.limits[id] ?? {}) };
    for (const bot of this.#bots.values()) {
      bot.setEndpoint(false);
      bot.launch();
      bot.afford();
    }
  }
}

function describeClaim(claim: BotCall['claim']): string {
  return claim ? `${claim.turn}.${claim.attempt} ${claim.phase}` : 'nothing';
}

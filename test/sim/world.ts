/**
 * Everything of one run: objects, pages, the network between them, the model, D1 and time. One thing
 * happens at a time; the code under test runs until nothing of it can go on, then the next is chosen.
 */
import { SimBots } from './bots.ts';
import type { Question } from '../../src/objects/ports.ts';
import type { AnswerStream } from '../../src/responders/port.ts';
import type { Chance } from './chance.ts';
import { SimD1, type Call } from './database.ts';
import { Host } from './host.ts';
import type { Link } from './link.ts';
import { brokenPlan, healthyPlan, newAsk, Speaker } from './model.ts';
import type { Page, RawPage } from './page.ts';
import { CrashSignal, MAX_CALLS_A_STEP, type Process } from './process.ts';
import { headOf, SessionNotes, stateOf } from './session-notes.ts';
import type { Database } from './storage.ts';
import { Timeline } from './timeline.ts';

const EPOCH_MS = 1_700_000_000_000;

/** How likely each fault is; all zero is a world without any. */
export interface Faults {
  model: number;
  d1: number;
  quietLoss: number;
  alarmTwice: number;
  destroy: number;
}
export const NO_FAULTS: Faults = { model: 0, d1: 0, quietLoss: 0, alarmTwice: 0, destroy: 0 };

/** Made once for many runs. */
export interface Databases {
  sessions: readonly Database[];
  bots: readonly Database[];
}

export interface Happening {
  label: string;
  weight: number;
  run(): void;
}

export class World {
  readonly chance: Chance;
  readonly timeline = new Timeline();
  readonly d1 = new SimD1();
  readonly bots: SimBots;
  /** Where time passed without its timers. */
  readonly jumps: { from: number; to: number }[] = [];
  readonly hosts: Host[] = [];
  faults: Faults = NO_FAULTS;
  /** Longest answer, in units of text. */
  answerUnits = 12;
  /** How often the model's next piece comes before anything else: below 1, queues build up. */
  modelPace = 4;
  pages: Page[] = [];
  raws: RawPage[] = [];
  links: Link[] = [];
  speakers: Speaker[] = [];
  /** Effects of the first object so far, and those at which its process ends. */
  effects = 0;
  crashAt: number[] = [];
  steps = 0;
  /** Calls of ports in this step. */
  calls = 0;
  readonly counts = new Map<string, number>();
  readonly #trace: ((line: string) => void) | null;
  #ids = 0;

  constructor(chance: Chance, databases: Databases, sessions: number, trace: ((line: string) => void) | null) {
    this.chance = chance;
    this.#trace = trace;
    this.bots = new SimBots(this, databases.bots);
    databases.sessions
      .slice(0, sessions)
      .forEach((db, index) => this.hosts.push(new Host(this, `s${index + 1}`, db, new SessionNotes())));
  }

  get host(): Host {
    const [host] = this.hosts;
    if (!host) throw new Error('a world without objects');
    return host;
  }

  close(): void {
    for (const host of this.hosts) host.storage.close();
    this.bots.close();
  }

  wallClock(): number {
    return EPOCH_MS + this.timeline.now;
  }

  newId(page: string): string {
    this.#ids += 1;
    return `${page}-${this.#ids}`;
  }

  count(what: string): void {
    this.counts.set(what, (this.counts.get(what) ?? 0) + 1);
  }

  note(line: string): void {
    this.#trace?.(`${this.timeline.now} ${line}`);
  }

  get degraded(): boolean {
    return this.d1.down || this.faults.model > 0 || this.bots.silent;
  }

  /** One effect of an object's process: the place where it may end. */
  effect(host: Host, label: string, end: () => void): void {
    if (host !== this.host) return;
    this.effects += 1;
    this.note(`  ${this.effects} ${label}`);
    if (this.crashAt[0] !== this.effects) return;
    this.crashAt.shift();
    this.note('  CRASH');
    end();
    throw new CrashSignal(label);
  }

  repeatsAlarm(): boolean {
    return this.#fault('alarm twice', this.faults.alarmTwice);
  }

  losesQuietly(): boolean {
    return this.#fault('half-open', this.faults.quietLoss);
  }

  destroyFails(host: Host): boolean {
    return host === this.host && this.#fault('destroy fails', this.faults.destroy);
  }

  #fault(name: string, share: number): boolean {
    const happens = share > 0 && this.chance.is(share);
    if (happens) this.count(name);
    return happens;
  }

  ask(process: Process, question: Question, signal: AbortSignal): AnswerStream {
    const { host } = process;
    const { running } = stateOf(host);
    const { turn = 0, attempt = 0 } = running ?? {};
    const about = { turn, attempt, boot: process.bootNumber, told: host.notes.told.length, head: headOf(host) };
    const times = { startAt: this.timeline.now, startClock: host.now() };
    const ask = newAsk(question, { ...about, ...times }, this.#promptRoom());
    host.notes.asks.push(ask);
    if (host.notes.erased) host.notes.readOn.push(`${ask.turn}.${ask.attempt}`);
    const isBroken = host === this.host && this.chance.is(this.faults.model);
    const plan = isBroken ? brokenPlan(this.chance, this.answerUnits) : healthyPlan(this.chance, this.answerUnits);
    const speaker = new Speaker(ask, plan, host.storage.begun, process, signal, {
      head: () => headOf(host),
      elapsed: () => this.timeline.now,
    });
    this.speakers.push(speaker);
    return speaker.stream();
  }

  /** Earlier turns that the prompt has room for: often all of them, often few. */
  #promptRoom(): number {
    return this.chance.is(0.5) ? Infinity : this.chance.between(0, 3);
  }

  speaking(process: Process): boolean {
    return this.speakers.some(({ reader, waiting, ask }) => reader === process && (waiting || ask.end === 'open'));
  }

  processEnded(process: Process): void {
    const { durable } = process.host.storage;
    for (const speaker of this.speakers) {
      if (speaker.reader !== process) continue;
      // A question that waits for its turn to be durable has not left the object.
      if (speaker.gate > durable) speaker.ask.end = 'unsent';
      else speaker.end('lost');
    }
    this.speakers = this.speakers.filter(({ reader }) => reader !== process);
  }

  /** What can happen next by itself, time apart. */
  happenings(): Happening[] {
    const list: Happening[] = [];
    for (const host of this.hosts) {
      if (host.storage.pending > 0) list.push({ label: 'flush', weight: 8, run: () => host.flush() });
    }
    for (const link of this.links) this.#onLink(link, list);
    for (const speaker of this.speakers) {
      if (!speaker.waiting || speaker.gate > speaker.reader.host.storage.durable) continue;
      list.push({ label: 'model', weight: this.modelPace, run: () => this.#speak(speaker) });
    }
    for (const call of this.d1.calls) {
      const host = this.hosts.find(({ id }) => id === call.session);
      if (!host || call.gate > host.storage.durable) continue;
      // What a dead process had asked for may arrive long after what its successor asks for.
      const isOrphan = call.caller !== host.process;
      const label = `d1 ${call.kind}${isOrphan ? ' late' : ''}`;
      list.push({ label, weight: isOrphan ? 0.3 : 4, run: () => this.#d1Step(call) });
    }
    list.push(...this.bots.happenings());
    return list;
  }

  #onLink(link: Link, list: Happening[]): void {
    const { host } = link;
    if (!link.opened && link.clientOpen) {
      list.push({ label: `open ${link.name}`, weight: 6, run: () => host.accept(link) });
    }
    if (link.canGoUp) list.push({ label: `up ${link.name}`, weight: 6, run: () => host.receive(link) });
    if (link.canGoDown(host.storage.durable)) {
      list.push({ label: `down ${link.name}`, weight: 6, run: () => this.#down(link) });
    }
  }

  #down(link: Link): void {
    const [first] = link.down;
    if (first) this.note(`  <- ${'text' in first ? first.text : JSON.stringify(first)}`);
    link.goDown();
    const page = this.pages.find((candidate) => candidate.links.includes(link));
    if (page && this.chance.is(0.2)) page.note();
  }

  #speak(speaker: Speaker): void {
    const fault = speaker.step();
    if (fault !== null) this.count(fault);
    if (speaker.ask.end !== 'open') this.speakers = this.speakers.filter((other) => other !== speaker);
  }

  #d1Step(call: Call): void {
    const error = new Error('D1 does not answer');
    const isSpared = call.session !== this.host.id;
    if (!isSpared && (this.d1.down || this.chance.is(this.faults.d1))) {
      const kind = this.chance.next();
      if (kind < 0.4) {
        this.count('d1 error before apply');
      } else if (kind < 0.8) {
        this.count('d1 error after apply');
        this.d1.apply(call);
      } else if (kind < 0.85) {
        this.count('d1 never answers');
        return this.d1.lose(call);
      } else if (!call.applied) {
        this.count('d1 slow');
        // Applied now, answered later.
        return this.d1.apply(call);
      }
      return this.d1.settle(call, error);
    }
    if (!call.applied) this.d1.apply(call);
    this.d1.settle(call, null);
  }

  /** Time passes without anything happening: timers and alarms that are due by then come late. */
  jump(ms: number): void {
    const from = this.timeline.now;
    this.timeline.now += ms;
    this.jumps.push({ from, to: this.timeline.now });
  }

  /** The next moment for which somebody waits: a timer or an alarm. */
  nextMoment(): Happening | null {
    const timer = this.timeline.next();
    const alarm = this.#nextAlarm();
    if (alarm && (!timer || alarm.due <= timer.at)) {
      const { host, due } = alarm;
      return { label: 'alarm', weight: 2, run: () => this.#fireAlarm(host, due) };
    }
    return timer && { label: 'timer', weight: 2, run: () => this.timeline.fire(timer) };
  }

  /** When that is, in virtual time. */
  momentAt(): number {
    return Math.min(this.timeline.next()?.at ?? Infinity, this.#nextAlarm()?.due ?? Infinity);
  }

  #nextAlarm(): { host: Host; due: number } | null {
    let next: { host: Host; due: number } | null = null;
    for (const host of this.hosts) {
      const due = host.alarmDue;
      if (due !== null && (!next || due < next.due)) next = { host, due };
    }
    return next;
  }

  #fireAlarm(host: Host, due: number): void {
    this.timeline.now = Math.max(this.timeline.now, due);
    host.fireAlarm();
  }

  async step(happening: Happening): Promise<void> {
    this.steps += 1;
    this.calls = 0;
    this.note(happening.label);
    try {
      happening.run();
    } catch (error) {
      if (!(error instanceof CrashSignal)) this.host.notes.faults.push(`${happening.label}: ${describe(error)}`);
    }
    // Everything that can go on by itself does, and rejections that nobody handled are told of.
    await new Promise<void>((resolve) => void setImmediate(resolve));
    if (this.calls > MAX_CALLS_A_STEP) throw new Error(`an endless loop in ${happening.label}`);
    this.links = this.links.filter((link) => !link.gone);
  }
}

export function describe(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}

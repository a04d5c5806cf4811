/**
 * The platform around one Durable Object: starts its process when something comes for it, ends it at
 * any moment, keeps its sockets over hibernation, holds back what it says until what it wrote is durable,
 * and runs its alarm at least once.
 */
import { CLOSE } from '../../src/protocol/codes.ts';
import type { Database } from './storage.ts';
import { SimStorage } from './storage.ts';
import type { Link } from './link.ts';
import { CrashSignal, MAX_CALLS_A_STEP, Process } from './process.ts';
import { readClientFrame } from './record.ts';
import { headOf, noteEnd, observe, type SessionNotes } from './session-notes.ts';
import type { World } from './world.ts';

/** An alarm whose handler failed this often is dropped. */
const MAX_ALARM_RETRIES = 6;
const ALARM_RETRY_MS = 2_000;

export class Host {
  readonly world: World;
  readonly id: string;
  readonly storage: SimStorage;
  readonly notes: SessionNotes;
  process: Process | null = null;
  links: Link[] = [];
  boots = 0;
  /** The process whose alarm handler runs. */
  firing: Process | null = null;
  /** When it last told a bot that a turn goes on (elapsed time). */
  beatAt = 0;
  /** Added to the time; clocks are set. */
  skewMs = 0;
  #retries = 0;
  /** The platform repeats an alarm that was done. */
  ghost = false;
  /** What HTTP callers wait for: answers leave like frames do. */
  responses: { gate: number; arrive: () => void }[] = [];

  constructor(world: World, id: string, db: Database, notes: SessionNotes) {
    this.world = world;
    this.id = id;
    this.storage = new SimStorage(db);
    this.notes = notes;
  }

  now(): number {
    return this.world.wallClock() + this.skewMs;
  }

  /** Elapsed time at which the alarm is due, or null. */
  get alarmDue(): number | null {
    const { alarm } = this.storage;
    if (this.firing || (alarm === null && !this.ghost)) return null;
    return alarm === null ? this.world.timeline.now : alarm - this.now() + this.world.timeline.now;
  }

  /** One more call of the process; the platform ends one that goes on for ever. */
  spend(label: string): void {
    this.world.calls += 1;
    if (this.world.calls <= MAX_CALLS_A_STEP) return;
    this.crash();
    throw new CrashSignal(label);
  }

  effect(process: Process, label: string): void {
    this.world.effect(this, label, () => this.#end(process));
  }

  #running(): Process {
    if (this.process) return this.process;
    this.boots += 1;
    const process = new Process(this);
    // Known before its constructor ends: that is when it can end, too.
    this.process = process;
    process.boot(this.links.filter((link) => link.held));
    return process;
  }

  /** Runs a piece of the object's code; a crash ends it quietly, anything else that is thrown is a fault. */
  enter(label: string, work: (process: Process) => void): void {
    try {
      work(this.#running());
    } catch (error) {
      this.#thrown(label, error);
    }
  }

  within(process: Process, label: string, work: () => void): void {
    try {
      if (process.alive) work();
    } catch (error) {
      this.#thrown(label, error);
    }
  }

  #thrown(label: string, error: unknown): void {
    if (error instanceof CrashSignal) return;
    this.notes.faults.push(`${label}: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`);
  }

  accept(link: Link): void {
    if (link.opened || !link.clientOpen) return;
    this.enter('accept', (process) => {
      process.guard('accept');
      const accepted = process.accept(link);
      this.links.push(link);
      link.opened = true;
      if (!accepted) link.down.push({ close: CLOSE.sessionNotFound, gate: 0 });
    });
    // A process that ended meanwhile leaves the client with a failed attempt.
    if (link.opened) return link.clientEnd.onopen?.();
    link.serverOpen = false;
    link.lose(1006);
  }

  /** The next thing that a client sent. */
  receive(link: Link): void {
    const next = link.takeUp();
    if (!next) return;
    if ('close' in next) {
      this.enter('closed', (process) => process.closed(link));
      link.serverOpen = false;
      link.closing = false;
      return;
    }
    const { text } = next;
    this.world.note(`  -> ${text}`);
    const done = this.notes.handling(this, link, readClientFrame(text));
    this.enter('frame', (process) => {
      process.guard('frame');
      process.message(link, text);
      if (process.alive) done();
    });
  }

  fireAlarm(): void {
    // An alarm that is not durable yet is not one.
    this.flush();
    const isGhost = this.storage.alarm === null;
    this.ghost = false;
    this.world.note(`alarm ${this.id}`);
    this.notes.wakes += 1;
    this.enter('alarm', (process) => {
      process.guard('fire');
      const { runtime } = process;
      // Consumed, but only for good when the handler is done.
      if (!isGhost) this.storage.consumeAlarm();
      this.firing = process;
      const finished = runtime ? runtime.alarm() : Promise.resolve();
      finished.then(
        () => this.#alarmDone(process),
        (error: unknown) => this.#alarmFailed(process, error),
      );
    });
  }

  #alarmDone(process: Process): void {
    if (this.firing !== process) return;
    this.firing = null;
    this.#retries = 0;
    this.storage.alarmDone();
    this.ghost = this.world.repeatsAlarm();
  }

  #alarmFailed(process: Process, error: unknown): void {
    if (this.firing !== process || error instanceof CrashSignal) return;
    this.firing = null;
    this.storage.alarmDone();
    this.#retries += 1;
    this.world.note(`alarm failed ${this.#retries}`);
    if (this.#retries > MAX_ALARM_RETRIES) {
      this.#retries = 0;
      this.world.count('alarm exhausted');
      return;
    }
    if (this.storage.alarm === null) this.storage.setAlarm(this.now() + ALARM_RETRY_MS * 2 ** (this.#retries - 1));
  }

  /** The process ends here and now. */
  crash(): void {
    if (this.process) this.#end(this.process);
  }

  #end(process: Process): void {
    const { storage, world } = this;
    process.alive = false;
    this.process = null;
    world.count('crash');
    world.timeline.drop(process);
    const survivors = world.chance.between(0, storage.pending);
    for (const link of this.links) this.#breakLink(link);
    this.links = [];
    this.responses = [];
    world.d1.calls = world.d1.calls.filter((call) => call.caller !== process || call.gate <= storage.durable);
    world.processEnded(process);
    world.bots.processEnded(process, storage.durable);
    storage.crash(survivors);
    this.firing = null;
    // A killed alarm runs again at once.
    storage.rearm(this.now());
    noteEnd(this, { boot: process.bootNumber, head: headOf(this) });
    observe(this, 'crash');
  }

  #breakLink(link: Link): void {
    const { chance } = this.world;
    link.serverOpen = false;
    link.closing = false;
    link.up = [];
    if (!link.clientOpen) return;
    const released = link.down.filter(({ gate }) => gate <= this.storage.durable);
    link.down = released.slice(0, chance.between(0, released.length));
    if (this.world.losesQuietly()) link.silent = true;
    else link.down.push({ close: 1006, gate: 0 });
  }

  /** Nothing is under way: the process may leave memory, its sockets stay. */
  get idle(): boolean {
    const { process, world, firing, storage } = this;
    if (!process || firing || storage.pending > 0) return false;
    if (world.timeline.countOf(process) > 0 || world.speaking(process) || world.bots.isBusy(process)) return false;
    return !world.d1.calls.some(({ caller }) => caller === process);
  }

  hibernate(): void {
    if (this.process) this.process.alive = false;
    this.process = null;
    this.links = this.links.filter((link) => link.held);
    for (const link of this.links) link.forget();
  }

  flush(): void {
    if (this.storage.busy) throw new Error('a step of the run ended in the middle of a transaction');
    this.storage.flush();
    const { durable } = this.storage;
    const ready = this.responses.filter(({ gate }) => gate <= durable);
    this.responses = this.responses.filter(({ gate }) => gate > durable);
    for (const { arrive } of ready) arrive();
    observe(this, 'flush');
  }
}

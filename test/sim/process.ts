/** One life of a session's object: the real runtime between simulated ports, as the shell wires them. */
import { SessionLog } from '../../src/log/session-log.ts';
import type { SessionPorts } from '../../src/objects/ports.ts';
import type { SessionPatch } from '../../src/objects/session-rpc.ts';
import { GO } from '../support/free-bot.ts';
import type { WireError } from '../../src/protocol/server-frames.ts';
import { SharedLeaves } from '../../src/objects/shared-leave.ts';
import { SharedReports } from '../../src/objects/shared-reports.ts';
import { SessionRuntime } from '../../src/objects/session-runtime.ts';
import { receive } from '../../src/objects/socket-frames.ts';
import { CLOSE } from '../../src/protocol/codes.ts';
import { MAX_TABS } from '../../src/protocol/limits.ts';
import { textProblem } from '../../src/protocol/text.ts';
import type { Host } from './host.ts';
import { ServerSocket, type Link } from './link.ts';
import { OWN_BOT } from './bot-names.ts';

/** Thrown where a process ends; whatever runs on after it reaches nothing. */
export class CrashSignal extends Error {}

/** Calls of ports in one step of a run; far more than any step needs. */
export const MAX_CALLS_A_STEP = 10_000;

export const OWNER = 'u_owner';
const BOT = { id: OWN_BOT, name: OWN_BOT, model: 'm' };

export class Process {
  readonly host: Host;
  /** Which process of its object this is, from 1. */
  readonly bootNumber: number;
  alive = true;
  runtime: SessionRuntime<ServerSocket> | null = null;
  readonly #ends = new Map<Link, ServerSocket>();
  readonly #leaves = new SharedLeaves();
  readonly #sharedReports = new SharedReports();
  /** Passed at every effect, and where the process may end. */
  readonly guard = (label: string): void => {
    if (!this.alive) throw new CrashSignal(label);
    this.host.spend(label);
    // Reading changes nothing, so that ending before it is ending before what comes next.
    if (label !== 'read') this.host.effect(this, label);
  };

  constructor(host: Host) {
    this.host = host;
    this.bootNumber = host.boots;
  }

  /** The shell's constructor. */
  boot(sockets: readonly Link[]): void {
    this.guard('boot');
    const log = SessionLog.open(this.host.storage.port(this.guard));
    if (log) this.#start(log, sockets, this.host.storage.alarm);
  }

  #start(log: SessionLog, sockets: readonly Link[], alarmAt: number | null): void {
    const ends = sockets.map((link) => this.#end(link));
    this.runtime = new SessionRuntime(log, this.#ports(), ends, `epoch-${this.host.boots}`, alarmAt);
  }

  #end(link: Link): ServerSocket {
    const { storage } = this.host;
    const end = new ServerSocket(link, this.guard, () => storage.begun);
    this.#ends.set(link, end);
    return end;
  }

  #for(user: string): SessionRuntime<ServerSocket> | null {
    const { runtime } = this;
    return runtime && !runtime.removed && runtime.owner === user ? runtime : null;
  }

  create(): void {
    const sql = this.host.storage.port(this.guard);
    if (!this.runtime) this.#start(SessionLog.create(sql, this.host.id, OWNER), [], null);
    const runtime = this.#for(OWNER);
    runtime?.dispatch({ type: 'create', bot: BOT, title: '' });
    void runtime?.deliverNow();
  }

  update(patch: SessionPatch): void {
    const runtime = this.#for(OWNER);
    if (!runtime) return;
    runtime.dispatch({ type: 'update', ...patch });
    void runtime.deliverNow();
  }

  remove(): void {
    const runtime = this.#for(OWNER);
    runtime?.remove(CLOSE.sessionNotFound);
    void runtime?.deliverNow();
  }

  send(message: { id: string; text: string; priority: number }): WireError | { seq: number } | null {
    const runtime = this.#for(OWNER);
    if (!runtime) return null;
    const error = textProblem(message.text, message.id) ?? runtime.send(message);
    return error ?? runtime.accepted(message.id);
  }

  /** An upgrade: false where it is refused for good. */
  accept(link: Link): boolean {
    const runtime = this.#for(OWNER);
    if (!runtime) return false;
    runtime.sweep();
    if (runtime.tabs.size >= MAX_TABS) return false;
    link.serverOpen = true;
    runtime.join(this.#end(link));
    return true;
  }

  message(link: Link, data: string): void {
    const end = this.#ends.get(link) ?? this.#end(link);
    const tab = this.runtime?.tabs.get(end);
    if (!this.runtime || !tab) return end.close(CLOSE.goingAway);
    receive(this.runtime, tab, data);
  }

  closed(link: Link): void {
    const end = this.#ends.get(link);
    if (!end) return;
    this.runtime?.leave(end);
    end.close(1000);
  }

  #ports(): SessionPorts<ServerSocket> {
    const { host } = this;
    const { world, storage } = host;
    return {
      now: () => host.now(),
      setTimer: (callback, delayMs) => {
        if (!this.alive) return () => {};
        return world.timeline.after(delayMs, this, () =>
          host.within(this, 'timer', () => {
            this.guard('timer');
            callback();
          }),
        );
      },
      setAlarm: (at) => {
        this.guard('alarm');
        storage.setAlarm(at);
        this.guard('alarmed');
      },
      clearAlarm: () => {
        this.guard('clear alarm');
        storage.setAlarm(null);
        this.guard('alarm cleared');
      },
      pingedAt: ({ link }) => link.pingedAt,
      leaves: this.#leaves,
      sharedReports: this.#sharedReports,
      attend: async (bot, call) => {
        if (world.bots.isFree(host)) return GO;
        this.guard('attend');
        if (call.claim?.phase === 'running') host.beatAt = world.timeline.now;
        const told = {
          bot,
          boot: this.bootNumber,
          claim: call.claim,
          calledAt: world.timeline.now,
          calledClock: host.now(),
        };
        const answer = await world.bots.attend(this, call);
        this.guard('attended');
        world.bots.heard(this, told, answer);
        return answer;
      },
      findBot: (id) => world.bots.find(this, id),
      takeRowsWritten: () => 0,
      answer: (question, signal) => {
        this.guard('answer');
        return world.ask(this, question, signal);
      },
      deliver: async ({ id }, records) => {
        this.guard('deliver');
        await world.d1.call({ session: id, kind: 'deliver', records, gate: storage.begun, caller: this });
        this.guard('delivered');
      },
      forget: async ({ id }) => {
        this.guard('forget');
        await world.d1.call({ session: id, kind: 'forget', records: [], gate: storage.begun, caller: this });
        this.guard('forgotten');
      },
      destroy: async () => {
        this.guard('destroy');
        if (world.destroyFails(host)) throw new Error('the storage does not answer');
        storage.wipe();
        await Promise.resolve();
        this.guard('destroyed');
        this.runtime = null;
      },
      report: (event) => world.note(`report ${event}`),
      note: () => {},
    };
  }
}

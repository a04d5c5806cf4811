/** All generator processes of a scenario as one. */
import { fileURLToPath } from 'node:url';
import { GENERATOR_CALLS, progressEvent } from '../generator/calls.ts';
import type { TalkColumns, TalkProgress } from '../generator/open-loop.ts';
import { monotonicMs } from '../clock.ts';
import { LoadError } from '../scenario.ts';
import { NO_COUNTS, addCounts } from '../check.ts';
import type { CheckRequest, Integrity, Outage } from '../user.ts';
import { Child } from './rpc.ts';

const MODULE = fileURLToPath(new URL('../generator/main.ts', import.meta.url));
/** What one process can keep up with, by far. */
const USERS_PER_PROCESS = 2_500;
const MESSAGES_PER_SECOND_PER_PROCESS = 1_200;
const MAX_PROCESSES = 4;
/** Connecting all at once would measure the storm, not the talk. */
const CONNECTS_AT_ONCE = 10;
/** From the call until the first message: all processes have to have heard of it. */
const LEAD_MS = 250;
export const DRAIN_MS = 30_000;
const MAX_SAMPLES = 10;

export interface GeneratorOptions {
  /** The module that makes the users: see `CreateUsers`. */
  module: string;
  url: string;
  options?: Readonly<Record<string, string | number>>;
  /** The most users and messages a second, to know how many processes that takes. */
  users: number;
  messagesPerSecond: number;
  /** How many processes, instead. */
  processes?: number;
}

/** Users by number, the first included, the last not. */
export interface UserRange {
  first: number;
  end: number;
}

export interface TalkOptions extends UserRange {
  seconds: number;
  /** Of all these users together. */
  messagesPerMinute: number;
  seed?: number;
  drainMs?: number;
  directive?: string;
  /** Called every second with the sum over all processes. */
  onProgress?: (progress: TalkProgress) => void;
}

export interface TalkResult {
  columns: TalkColumns;
  problems: Record<string, number>;
  /** On the machine's clock. */
  startAt: number;
  endAt: number;
}

export interface ConnectResult {
  connected: number;
  failed: number;
  problem: string | null;
  /** How long each took. */
  ms: number[];
}

type Generator = Child<typeof GENERATOR_CALLS>;

export class Generators {
  #children: Generator[] = [];
  #latest = new Map<number, TalkProgress>();
  #onProgress: ((progress: TalkProgress) => void) | null = null;

  static async start(options: GeneratorOptions): Promise<Generators> {
    const generators = new Generators();
    const { module, url, options: userOptions = {}, users, messagesPerSecond } = options;
    const wanted = Math.max(users / USERS_PER_PROCESS, messagesPerSecond / MESSAGES_PER_SECOND_PER_PROCESS, 1);
    const count = options.processes ?? Math.min(MAX_PROCESSES, Math.ceil(wanted));
    try {
      for (let index = 0; index < count; index += 1) {
        const onEvent = (value: unknown): void => generators.#progressed(index, value);
        const child = await Child.start(MODULE, GENERATOR_CALLS, { onEvent });
        generators.#children.push(child);
        await child.call('use', { module, url, options: userOptions });
      }
      return generators;
    } catch (error) {
      await generators.stop();
      throw error;
    }
  }

  get pids(): number[] {
    return this.#children.map(({ pid }) => pid);
  }

  /** Connects users. They stay with the process that connected them. */
  async connect(
    range: UserRange,
    { atOnce = CONNECTS_AT_ONCE, mayFail = false }: { atOnce?: number; mayFail?: boolean } = {},
  ): Promise<ConnectResult> {
    const size = Math.ceil((range.end - range.first) / this.#children.length);
    const results = await Promise.all(
      this.#children.map((child, index) => {
        const first = Math.min(range.end, range.first + index * size);
        const part = { first, end: Math.min(range.end, first + size) };
        return child.call('connect', { ...part, atOnce: Math.ceil(atOnce / this.#children.length) });
      }),
    );
    const failed = results.reduce((sum, result) => sum + result.failed, 0);
    const problem = results.find((result) => result.problem !== null)?.problem ?? null;
    if (failed > 0 && !mayFail) {
      throw new LoadError('not_finished', `${failed} users could not connect: ${problem ?? 'unknown'}`);
    }
    const connected = results.reduce((sum, result) => sum + result.connected, 0);
    return { connected, failed, problem, ms: results.flatMap(({ ms }) => [...ms]) };
  }

  /** Lets users talk at a rate that does not depend on the answers. */
  async talk(options: TalkOptions): Promise<TalkResult> {
    const { first, end, seconds, messagesPerMinute, seed = 1, drainMs = DRAIN_MS, directive = '' } = options;
    const startAt = monotonicMs() + LEAD_MS;
    const durationMs = seconds * 1_000;
    const intervalMs = ((end - first) * 60_000) / messagesPerMinute;
    this.#latest = new Map();
    this.#onProgress = options.onProgress ?? null;
    const results = await Promise.all(
      this.#children.map((child, index) =>
        child.call('talk', { first, end, startAt, durationMs, intervalMs, seed: seed + index, drainMs, directive }),
      ),
    );
    this.#onProgress = null;
    const problems: Record<string, number> = {};
    for (const result of results) {
      for (const [name, count] of Object.entries(result.problems)) problems[name] = (problems[name] ?? 0) + count;
    }
    const columns = joinColumns(results.map((result) => result.columns));
    return { columns, problems, startAt, endAt: startAt + durationMs };
  }

  async state() {
    const states = await Promise.all(this.#children.map((child) => child.call('state', {})));
    const sum = { users: 0, live: 0, connects: 0, frames: 0, characters: 0, pongs: 0 };
    for (const state of states) {
      sum.users += state.users;
      sum.live += state.live;
      sum.connects += state.connects;
      sum.frames += state.frames;
      sum.characters += state.characters;
      sum.pongs += state.pongs;
    }
    return sum;
  }

  /** Everybody's outages since this was asked last. */
  async outages(): Promise<(Outage & { user: number })[]> {
    const parts = await Promise.all(this.#children.map((child) => child.call('outages', {})));
    return parts.flatMap(({ user, lostAt, liveAt }) => {
      return [...user].map((number, row) => {
        return { user: number, lostAt: lostAt[row] ?? Number.NaN, liveAt: liveAt[row] ?? Number.NaN };
      });
    });
  }

  /** Stops reading from these users' connections, or goes on. */
  async setReading(range: UserRange, isReading: boolean): Promise<void> {
    await Promise.all(this.#children.map((child) => child.call('setReading', { ...range, isReading })));
  }

  /** @see UserSource.compare */
  async compare(sessions: number): Promise<number> {
    const [first] = this.#children;
    return first ? (await first.call('compare', { sessions })).different : 0;
  }

  /** @see UserSource.check; null where the users keep no record */
  async check(request: CheckRequest): Promise<Integrity | null> {
    const results = await Promise.all(this.#children.map((child) => child.call('check', { ...request })));
    let sum: Integrity = { counts: NO_COUNTS, histories: 0, violations: 0, samples: [], complete: true };
    for (const result of results) {
      if (!result) return null;
      sum = {
        counts: addCounts(sum.counts, result.counts),
        histories: sum.histories + result.histories,
        violations: sum.violations + result.violations,
        samples: [...sum.samples, ...result.samples].slice(0, MAX_SAMPLES),
        complete: sum.complete && result.complete,
      };
    }
    return sum;
  }

  async close(range: UserRange): Promise<void> {
    await Promise.all(this.#children.map((child) => child.call('close', range)));
  }

  async stop(): Promise<void> {
    await Promise.all(this.#children.map((child) => child.stop()));
    this.#children = [];
  }

  #progressed(index: number, value: unknown): void {
    this.#latest.set(index, progressEvent.parse(value));
    const all = [...this.#latest.values()];
    const sum = (of: (progress: TalkProgress) => number): number => all.reduce((total, each) => total + of(each), 0);
    this.#onProgress?.({
      sent: sum(({ sent }) => sent),
      acknowledged: sum(({ acknowledged }) => acknowledged),
      answered: sum(({ answered }) => answered),
      failed: sum(({ failed }) => failed),
      worstLateMs: Math.max(...all.map(({ worstLateMs }) => worstLateMs)),
    });
  }
}

function joinColumns(parts: readonly TalkColumns[]): TalkColumns {
  const join = (of: (columns: TalkColumns) => Float64Array): Float64Array => {
    const joined = new Float64Array(parts.reduce((sum, part) => sum + of(part).length, 0));
    let at = 0;
    for (const part of parts) {
      joined.set(of(part), at);
      at += of(part).length;
    }
    return joined;
  };
  return {
    user: join(({ user }) => user),
    number: join(({ number }) => number),
    intendedAt: join(({ intendedAt }) => intendedAt),
    sentAt: join(({ sentAt }) => sentAt),
    ackAt: join(({ ackAt }) => ackAt),
    firstAt: join(({ firstAt }) => firstAt),
    replyAt: join(({ replyAt }) => replyAt),
    failedAt: join(({ failedAt }) => failedAt),
  };
}

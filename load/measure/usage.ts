/** Processor time and memory of everything that takes part in a measurement, each by itself. */
import { machineSeconds, processorSeconds, residentBytes } from '../processes.ts';

const SAMPLE_MS = 1_000;

/** Processes by what they do. The lab's own process is not among them: it only waits. */
export interface Roles {
  server: readonly number[];
  model: readonly number[];
  generator: readonly number[];
}
type Role = keyof Roles;

export interface UsageSample {
  /** Since the watch began. */
  atMs: number;
  /** Null where it cannot be known, as elsewhere here. */
  serverBytes: number | null;
  /** Of one core, since the sample before. */
  serverLoad: number | null;
}

export interface Usage {
  seconds: number;
  /** Processor seconds used. */
  processor: Record<Role, number | null>;
  /** What the rest of the machine has used meanwhile: above little, figures of it say little. Null also of a server that nobody can look at. */
  otherProcessor: number | null;
  serverBytesBefore: number | null;
  serverBytesAfter: number | null;
  serverBytesPeak: number | null;
  samples: UsageSample[];
}

export class UsageWatch {
  readonly #roles: Roles;
  readonly #startedAt = performance.now();
  readonly #before: Record<Role, number | null>;
  readonly #serverBytesBefore: number | null;
  readonly #machineBefore = machineSeconds();
  readonly #ownBefore = process.cpuUsage();
  readonly #samples: UsageSample[] = [];
  readonly #timer: NodeJS.Timeout;
  #last: { atMs: number; server: number | null };

  constructor(roles: Roles) {
    this.#roles = roles;
    this.#before = this.#processor();
    this.#serverBytesBefore = sumOf(roles.server, residentBytes);
    this.#last = { atMs: 0, server: this.#before.server };
    this.#timer = setInterval(() => this.#sample(), SAMPLE_MS);
    this.#timer.unref();
  }

  /** The newest sample; null in the first second. */
  get latest(): UsageSample | null {
    return this.#samples.at(-1) ?? null;
  }

  end(): Usage {
    clearInterval(this.#timer);
    this.#sample();
    const after = this.#processor();
    const used = (role: Role): number | null => {
      const [from, to] = [this.#before[role], after[role]];
      return from === null || to === null ? null : to - from;
    };
    const processor = { server: used('server'), model: used('model'), generator: used('generator') };
    const bytes = this.#samples.map(({ serverBytes }) => serverBytes).filter((value) => value !== null);
    return {
      seconds: (performance.now() - this.#startedAt) / 1_000,
      processor,
      otherProcessor: this.#others(processor),
      serverBytesBefore: this.#serverBytesBefore,
      serverBytesAfter: bytes.at(-1) ?? null,
      serverBytesPeak: bytes.length === 0 ? null : Math.max(...bytes),
      samples: this.#samples,
    };
  }

  #others({ server, model, generator }: Record<Role, number | null>): number | null {
    const machine = machineSeconds();
    // Without the server's process its work would count as others'.
    if (machine === null || this.#machineBefore === null || server === null) return null;
    const own = process.cpuUsage(this.#ownBefore);
    const known = server + (model ?? 0) + (generator ?? 0) + (own.user + own.system) / 1_000_000;
    return Math.max(0, machine - this.#machineBefore - known);
  }

  #processor(): Record<Role, number | null> {
    const { server, model, generator } = this.#roles;
    return {
      server: sumOf(server, processorSeconds),
      model: sumOf(model, processorSeconds),
      generator: sumOf(generator, processorSeconds),
    };
  }

  #sample(): void {
    const atMs = performance.now() - this.#startedAt;
    const server = sumOf(this.#roles.server, processorSeconds);
    const { atMs: lastMs, server: last } = this.#last;
    const elapsed = (atMs - lastMs) / 1_000;
    const serverLoad = server === null || last === null || elapsed <= 0 ? null : (server - last) / elapsed;
    this.#last = { atMs, server };
    this.#samples.push({ atMs, serverBytes: sumOf(this.#roles.server, residentBytes), serverLoad });
  }
}

/** Null without any process, and where one of them cannot be looked at. */
export function sumOf(pids: readonly number[], of: (pid: number) => number | null): number | null {
  let sum: number | null = pids.length === 0 ? null : 0;
  for (const pid of pids) {
    const value = of(pid);
    sum = sum === null || value === null ? null : sum + value;
  }
  return sum;
}

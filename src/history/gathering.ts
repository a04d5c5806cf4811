/**
 * Gathers what sessions bring to the history within a moment, so that D1 is asked once for all of them: one
 * transaction costs it, and the way to it, as much as some ten turns do.
 *
 * Whoever is alone goes at once. What fails together is brought again by its sessions, each by itself then, so that
 * what cannot be written holds up nobody else's.
 */
import { isReviser } from '../protocol/transcript.ts';
import { HistoryError } from './error.ts';
import type { Delivery } from './project-records.ts';
import { jsonBytes, MAX_BATCH_BYTES, MAX_BATCH_RECORDS } from './run.ts';

/** From one group to the next. Sessions deliver a second after they became quiet: this is little beside it. */
const GATHER_MS = 50;
/** Whoever brings more goes alone: it fills a batch anyway. Bytes of JSON. */
const MAX_SHARE_BYTES = 64 * 1024;
/**
 * Sessions in one batch. Each may bring two statements of its own (it is new, its settings changed) beside the two that
 * all share, and D1 counts statements: 50 an invocation on the free plan.
 */
const MAX_SESSIONS = 20;
/** Sessions remembered as having failed. With more of them it is D1 that fails, not what they bring. */
const MAX_SUSPECTS = 5 * MAX_SESSIONS;
/** Of records that are being written or wait for it: one object has 128 MB for all, and a text is held some six times. */
const MAX_BYTES_UNDER_WAY = 8 * 1024 * 1024;

export interface GatheringPorts {
  /** Milliseconds since 1970. */
  now(): number;
  setTimer(callback: () => void, delayMs: number): void;
  /**
   * Several sessions' runs in one batch, all or nothing; none of them changes messages before it. Like `writeAlone` it
   * has to settle even where D1 never answers: until then its records count as under way.
   */
  writeTogether(deliveries: readonly Delivery[]): Promise<unknown>;
  /** Whatever one session brings. */
  writeAlone(delivery: Delivery): Promise<unknown>;
}

interface Waiting extends Delivery {
  resolve: () => void;
  reject: (error: unknown) => void;
}

export class Gathering {
  readonly #ports: GatheringPorts;
  #group = new Map<string, Waiting>();
  #bytes = 0;
  #records = 0;
  #isTimed = false;
  #wroteAt = 0;
  #bytesUnderWay = 0;
  /** Sessions whose batch failed. */
  readonly #suspects = new Set<string>();

  constructor(ports: GatheringPorts) {
    this.#ports = ports;
  }

  /**
   * Resolves when D1 has the records.
   * @throws HistoryError `unavailable` while too much is under way
   * @throws what D1 throws, then for everybody who was written together
   */
  async add(delivery: Delivery): Promise<void> {
    const bytes = delivery.records.reduce((sum, record) => sum + jsonBytes(record), 0);
    // Whoever comes first may bring as much as there is.
    if (this.#bytesUnderWay > 0 && this.#bytesUnderWay + bytes > MAX_BYTES_UNDER_WAY) {
      throw new HistoryError('unavailable', 'The history has more to write than it can hold.');
    }
    this.#bytesUnderWay += bytes;
    try {
      await this.#take(delivery, bytes);
    } finally {
      this.#bytesUnderWay -= bytes;
    }
  }

  async #take(delivery: Delivery, bytes: number): Promise<void> {
    const { session, records } = delivery;
    if (this.#suspects.has(session.id) || bytes > MAX_SHARE_BYTES || records.some(isReviser)) {
      await this.#ports.writeAlone(delivery);
      this.#suspects.delete(session.id);
      return;
    }
    const isFull =
      this.#group.size === MAX_SESSIONS ||
      this.#bytes + bytes > MAX_BATCH_BYTES ||
      this.#records + records.length > MAX_BATCH_RECORDS;
    // Twice only when the session gave the first one up: it is not to be in one batch with itself.
    if (isFull || this.#group.has(session.id)) this.#write();
    const written = new Promise<void>((resolve, reject) => {
      this.#group.set(session.id, { ...delivery, resolve, reject });
    });
    this.#bytes += bytes;
    this.#records += records.length;
    this.#writeSoon();
    await written;
  }

  #writeSoon(): void {
    if (this.#isTimed) return;
    this.#isTimed = true;
    const now = this.#ports.now();
    // A clock that was put back must not hold anything up.
    const waitMs = Math.min(GATHER_MS, Math.max(0, this.#wroteAt + GATHER_MS - now));
    this.#ports.setTimer(() => {
      this.#isTimed = false;
      this.#write();
    }, waitMs);
  }

  #write(): void {
    const group = [...this.#group.values()];
    this.#group = new Map();
    this.#bytes = 0;
    this.#records = 0;
    if (group.length === 0) return;
    this.#wroteAt = this.#ports.now();
    this.#ports.writeTogether(group).then(
      () => group.forEach(({ resolve }) => resolve()),
      (error: unknown) => {
        this.#suspect(group);
        for (const { reject } of group) reject(error);
      },
    );
  }

  #suspect(group: readonly Delivery[]): void {
    if (this.#suspects.size + group.length > MAX_SUSPECTS) this.#suspects.clear();
    for (const { session } of group) this.#suspects.add(session.id);
  }
}

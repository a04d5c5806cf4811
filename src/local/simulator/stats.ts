/** What reached the simulator, so that a test can assert on the far side of the wire. */
import type { IncomingHttpHeaders } from 'node:http';

export interface Stats {
  /** Requests to /api and /v1, whatever became of them. */
  requests: number;
  /** Generations that were not rejected: each ends completed, failed or aborted. */
  generations: number;
  completed: number;
  /** Ended by a fault. */
  failed: number;
  /** The client left first, running or queued. */
  aborted: number;
  /** 503: the queue was full. */
  rejected: number;
  inFlight: number;
  queued: number;
  maxInFlight: number;
  maxQueued: number;
  /** Tokens handed to sockets, thinking included. */
  tokens: number;
  /** Times a model was loaded, or loaded again because runner options changed. */
  loads: number;
}

interface SeenRequest {
  readonly serial: number;
  readonly at: string;
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: unknown;
}

const MAX_SEEN = 50;
const MAX_SEEN_BYTES = 16 * 1024 * 1024;
const SECRET_HEADERS = ['authorization', 'cookie', 'x-api-key'] as const;
const SECRET_TAIL_LENGTH = 4;

/** The last request bodies, bounded in number and in bytes. */
export class SeenRequests {
  readonly #entries: { readonly request: SeenRequest; readonly bytes: number }[] = [];
  #bytes = 0;
  #serial = 0;

  add(seen: Omit<SeenRequest, 'serial' | 'at'>, bytes: number): void {
    this.#serial += 1;
    const headers = maskSecrets(seen.headers);
    const request = { ...seen, serial: this.#serial, at: new Date().toISOString(), headers };
    this.#entries.push({ request, bytes });
    this.#bytes += bytes;
    while (this.#entries.length > MAX_SEEN || this.#bytes > MAX_SEEN_BYTES) {
      const dropped = this.#entries.shift();
      if (dropped === undefined) return;
      this.#bytes -= dropped.bytes;
    }
  }

  /** The last `count`, oldest first. */
  last(count: number): readonly SeenRequest[] {
    return count === 0 ? [] : this.#entries.slice(-count).map((entry) => entry.request);
  }
}

/** A key must not be readable over HTTP; its tail is enough to tell which one came. */
function maskSecrets(headers: IncomingHttpHeaders): IncomingHttpHeaders {
  const masked = { ...headers };
  for (const name of SECRET_HEADERS) {
    const value = masked[name];
    if (value !== undefined) masked[name] = `…${String(value).slice(-SECRET_TAIL_LENGTH)}`;
  }
  return masked;
}

export function newStats(): Stats {
  return {
    requests: 0,
    generations: 0,
    completed: 0,
    failed: 0,
    aborted: 0,
    rejected: 0,
    inFlight: 0,
    queued: 0,
    maxInFlight: 0,
    maxQueued: 0,
    tokens: 0,
    loads: 0,
  };
}

/** What a peer is to the comparison. */
import type { Started } from '../lab/servers.ts';

/** What a deployment would be billed for. */
export interface PeerCounters {
  workerRequests: number;
  objectRequests: number;
  frames: number;
  rowsWritten: number;
  rowsRead: number;
  /** How long sessions were kept from sleeping, in ms; null where that is not counted. */
  heldMs: number | null;
}

export interface PeerServer extends Started {
  /** SIGKILL. */
  kill(): Promise<void>;
  /** Begins a new life on what the last one left; its address may be another one. */
  restart(): Promise<void>;
}

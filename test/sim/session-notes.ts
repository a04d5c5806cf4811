/** What is noted about one session while a run goes on. */
import type { LogRecord } from '../../src/protocol/records.ts';
import type { ClientFrame } from '../../src/protocol/client-frames.ts';
import type { ServerFrame } from '../../src/protocol/server-frames.ts';
import type { ClientRecording } from '../support/recording.ts';
import type { Anchor, Ask, Handled, Shown, WakeSample, Wanted } from './history.ts';
import type { Host } from './host.ts';
import type { Link } from './link.ts';

export class SessionNotes {
  readonly recordings: ClientRecording[] = [];
  readonly acknowledged: { id: string; seq: number; text: string }[] = [];
  readonly asks: Ask[] = [];
  readonly handled: Handled[] = [];
  readonly wanted: Wanted[] = [];
  readonly anchors: Anchor[] = [];
  readonly wakeSamples: WakeSample[] = [];
  readonly shown: Shown[] = [];
  readonly delivered: number[] = [];
  readonly faults: string[] = [];
  /** The log before it was erased. */
  erased: LogRecord[] | null = null;
  wakes = 0;

  /** Notes what comes of a frame; to be called when it was handled to its end. */
  handling(host: Host, link: Link, frame: ClientFrame | null): () => void {
    const headBefore = headOf(host);
    const before = new Set(link.down);
    return () => {
      const answers = link.down.flatMap((down) => (before.has(down) || !('text' in down) ? [] : [answerOf(down.text)]));
      const degraded = host.world.degraded;
      this.handled.push({ frame, headBefore, headAfter: headOf(host), answers, degraded });
    };
  }
}

function answerOf(text: string): Handled['answers'][number] {
  const frame: ServerFrame = JSON.parse(text);
  if (frame.type === 'error') return { type: 'error', code: frame.code, id: frame.id ?? null };
  return { type: frame.type, code: null, id: frame.type === 'ack' ? frame.id : null };
}

export function headOf(host: Host): number {
  if (!host.storage.hasTables()) return 0;
  return Number(host.storage.read('SELECT coalesce(max(seq), 0) AS head FROM log')[0]?.['head']);
}

/** The state stored beside the last record. */
export function stateOf(host: Host): { running: { turn: number; attempt: number } | null } & Record<string, unknown> {
  const text = host.storage.read('SELECT state FROM log ORDER BY seq DESC LIMIT 1')[0]?.['state'];
  return typeof text === 'string' ? JSON.parse(text) : { running: null };
}

/** Work is an open turn, a record that D1 may lack, or an erasure that is not finished. */
export function hasWork(host: Host): boolean {
  if (!host.storage.hasTables()) return false;
  const [row] = host.storage.read(
    `SELECT delivered, removed, (SELECT max(seq) FROM log) AS head,
       (SELECT json_extract(state, '$.running.turn') FROM log ORDER BY seq DESC LIMIT 1) AS running FROM session`,
  );
  if (!row) return false;
  return Number(row['removed']) === 1 || row['running'] !== null || Number(row['head'] ?? 0) > Number(row['delivered']);
}

/** Notes what is durable just now: to be called only when everything written is. */
export function observe(host: Host, moment: 'flush' | 'crash' | 'boot'): void {
  const { storage, notes } = host;
  if (!storage.hasTables()) return;
  const armed = storage.alarm !== null || host.firing !== null || host.ghost;
  if (moment === 'boot') return;
  const [last] = storage.read('SELECT seq, hash FROM log ORDER BY seq DESC LIMIT 1');
  if (last) notes.anchors.push({ seq: Number(last['seq']), hash: hexOf(last['hash']) });
  const [session] = storage.read('SELECT delivered FROM session');
  notes.delivered.push(Number(session?.['delivered'] ?? 0));
  notes.wakeSamples.push({ moment, work: hasWork(host), armed });
}

export function hexOf(bytes: unknown): string {
  return bytes instanceof Uint8Array ? Buffer.from(bytes).toString('hex') : '';
}

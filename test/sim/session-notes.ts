/** What is noted about one session while a run goes on. */
import type { LogRecord } from '../../src/protocol/records.ts';
import type { ClientFrame } from '../../src/protocol/client-frames.ts';
import type { ServerFrame } from '../../src/protocol/server-frames.ts';
import type { ClientRecording } from '../support/recording.ts';
import type { Anchor, Ask, Handled, Shown, ShownQueue, ShownWait, Told, WakeSample, Wanted } from './history.ts';
import type { Host } from './host.ts';
import type { Link } from './link.ts';

/** Frames that answer a frame. */
const ANSWER = /^{"type":"(?:ack|error)"/;

export class SessionNotes {
  readonly recordings: ClientRecording[] = [];
  readonly acknowledged: { id: string; seq: number; text: string }[] = [];
  readonly asks: Ask[] = [];
  handled: Handled[] = [];
  readonly wanted: Wanted[] = [];
  readonly anchors: Anchor[] = [];
  readonly wakeSamples: WakeSample[] = [];
  readonly shown: Shown[] = [];
  readonly queues: ShownQueue[] = [];
  readonly delivered: number[] = [];
  readonly faults: string[] = [];
  /** The log before it was erased. */
  erased: LogRecord[] | null = null;
  readOn: string[] = [];
  wakes = 0;
  readonly told: Told[] = [];
  readonly missed: string[] = [];
  readonly ends: { boot: number; head: number }[] = [];
  readonly waits: ShownWait[] = [];
  readonly sleepless: string[] = [];
  readonly mute: string[] = [];
  readonly #greeted = new Set<Link>();

  /** Notes what comes of a frame; to be called when it was handled to its end. */
  handling(host: Host, link: Link, frame: ClientFrame | null): () => void {
    const headBefore = headOf(host);
    const before = new Set(link.down);
    const about = { frame, tab: `${link.name} of ${host.boots}`, at: host.now(), greeted: this.#greeted.has(link) };
    return () => {
      // Over a connection that the object has closed nothing goes back.
      if (!link.serverOpen) return;
      const answers = link.down.flatMap((down) => {
        return before.has(down) || !('text' in down) || !ANSWER.test(down.text) ? [] : [answerOf(down.text)];
      });
      const degraded = host.world.degraded;
      if (frame?.type === 'hello' && answers.length === 0) this.#greeted.add(link);
      this.handled.push({ ...about, headBefore, headAfter: headOf(host), answers, degraded });
    };
  }
}

/** Notes the end of a process: what it said of records that its end has taken along never left it. */
export function noteEnd({ notes }: Host, end: { boot: number; head: number }): void {
  notes.ends.push(end);
  notes.handled = notes.handled.filter(({ headAfter }) => headAfter <= end.head);
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

interface State {
  running: { turn: number; attempt: number } | null;
  last: { turn: number } | null;
}

/** The state stored beside the last record. */
export function stateOf(host: Host): State {
  const none: State = { running: null, last: null };
  if (!host.storage.hasTables()) return none;
  const text = host.storage.read('SELECT state FROM log ORDER BY seq DESC LIMIT 1')[0]?.['state'];
  return typeof text === 'string' ? JSON.parse(text) : none;
}

const STANDING = `SELECT delivered, removed, last.seq AS head, last.hash AS hash,
    json_extract(last.state, '$.running.turn') AS running
  FROM session LEFT JOIN (SELECT seq, hash, state FROM log ORDER BY seq DESC LIMIT 1) AS last`;

/** Work is an open turn, a record that D1 lacks, or an erasure that is not finished. */
export function hasWork(host: Host): boolean {
  const [row] = host.storage.hasTables() ? host.storage.read(STANDING) : [];
  return row !== undefined && isWork(host, row);
}

function isWork({ world, id }: Host, row: Record<string, unknown>): boolean {
  if (Number(row['removed']) === 1 || row['running'] !== null) return true;
  return Number(row['head'] ?? 0) > world.d1.headOf(id);
}

/** Notes what is durable just now: to be called only when everything written is. */
export function observe(host: Host, moment: 'flush' | 'crash'): void {
  const { storage, notes } = host;
  const [row] = storage.hasTables() ? storage.read(STANDING) : [];
  if (!row) return;
  if (row['head'] !== null) notes.anchors.push({ seq: Number(row['head']), hash: hexOf(row['hash']) });
  notes.delivered.push(Number(row['delivered']));
  const armed = storage.alarm !== null || host.firing !== null || host.ghost;
  notes.wakeSamples.push({ moment, work: isWork(host, row), armed });
}

export function hexOf(bytes: unknown): string {
  return bytes instanceof Uint8Array ? Buffer.from(bytes).toString('hex') : '';
}

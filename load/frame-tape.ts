/**
 * Everything that went over the sockets of one process, as raw bytes outside of the garbage
 * collector's reach: a million frames kept as objects would make the generator late.
 */
import { newConnection, recordReceived, recordSent, type ClientRecording } from '../test/support/recording.ts';
import { PING_TEXT, PONG_TEXT } from '../src/protocol/server-frames.ts';

const CHUNK_BYTES = 4 * 1024 * 1024;
const HEAD_BYTES = 9;
const MAX_BYTES_PER_CODE_UNIT = 3;
/** Beyond this nothing is recorded, and the check says so. */
const MAX_TAPE_BYTES = 1_024 * 1024 * 1024;

const KIND = { opened: 0, sent: 1, received: 2 } as const;
type Kind = (typeof KIND)[keyof typeof KIND];

interface Place {
  chunk: Buffer;
  at: number;
}

/** One connection's end of the tape. */
export interface TapeConnection {
  sent(frame: string): void;
  received(frame: string): void;
}

export class FrameTape {
  readonly #chunks: Buffer[] = [];
  readonly #maxBytes: number;
  #chunk = Buffer.alloc(0);
  #used = 0;
  #bytes = 0;
  #isFull = false;
  /** Made when it is first asked for; `bytes` tells whether something was written since. */
  #index: { bytes: number; places: ReadonlyMap<number, readonly Place[]> } | null = null;

  constructor(maxBytes = MAX_TAPE_BYTES) {
    this.#maxBytes = maxBytes;
  }

  /** Something was left out for want of room. */
  get isFull(): boolean {
    return this.#isFull;
  }

  /** The user opens a connection, after those it has had. */
  connection(user: number): TapeConnection {
    this.#write(user, KIND.opened, '');
    // A reconnect's frames follow the earlier connection's: each user has one connection at a time.
    return {
      sent: (frame) => {
        if (frame !== PING_TEXT) this.#write(user, KIND.sent, frame);
      },
      received: (frame) => {
        if (frame !== PONG_TEXT) this.#write(user, KIND.received, frame);
      },
    };
  }

  users(): number[] {
    return [...this.#places().keys()];
  }

  /** One user's recording, decoded anew at each call: all users' together would not fit. */
  recording(user: number): ClientRecording {
    const recording: ClientRecording = { name: `user ${user}`, connections: [] };
    for (const place of this.#places().get(user) ?? []) this.#replay(place, recording);
    return recording;
  }

  #write(user: number, kind: Kind, frame: string): void {
    const room = HEAD_BYTES + frame.length * MAX_BYTES_PER_CODE_UNIT;
    if (this.#used + room > this.#chunk.length && !this.#extend(room)) return;
    const head = this.#used;
    const length = this.#chunk.write(frame, head + HEAD_BYTES, 'utf8');
    this.#chunk.writeUInt32LE(user, head);
    this.#chunk.writeUInt8(kind, head + 4);
    this.#chunk.writeUInt32LE(length, head + 5);
    this.#used = head + HEAD_BYTES + length;
  }

  /** Makes room for an entry; false where there may be no more. */
  #extend(room: number): boolean {
    this.#close();
    const size = Math.max(CHUNK_BYTES, room);
    if (this.#isFull || this.#bytes + size > this.#maxBytes) {
      this.#isFull = true;
      return false;
    }
    this.#chunk = Buffer.allocUnsafeSlow(size);
    this.#bytes += size;
    return true;
  }

  #close(): void {
    if (this.#used > 0) this.#chunks.push(this.#chunk.subarray(0, this.#used));
    this.#chunk = Buffer.alloc(0);
    this.#used = 0;
  }

  /** Where each user's entries are. */
  #places(): ReadonlyMap<number, readonly Place[]> {
    if (this.#index?.bytes === this.#bytes && this.#used === 0) return this.#index.places;
    this.#close();
    const places = new Map<number, Place[]>();
    for (const chunk of this.#chunks) {
      for (let at = 0; at < chunk.length; at += HEAD_BYTES + chunk.readUInt32LE(at + 5)) {
        const user = chunk.readUInt32LE(at);
        const own = places.get(user);
        if (own) own.push({ chunk, at });
        else places.set(user, [{ chunk, at }]);
      }
    }
    this.#index = { bytes: this.#bytes, places };
    return places;
  }

  #replay({ chunk, at }: Place, recording: ClientRecording): void {
    const kind = chunk.readUInt8(at + 4);
    if (kind === KIND.opened) return void newConnection(recording);
    const start = at + HEAD_BYTES;
    const text = chunk.toString('utf8', start, start + chunk.readUInt32LE(at + 5));
    const connection = recording.connections.at(-1) ?? newConnection(recording);
    if (kind === KIND.sent) recordSent(connection, text);
    else recordReceived(connection, text);
  }
}

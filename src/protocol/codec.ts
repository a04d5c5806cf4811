/** Text to frame and back. Decoding never throws: a value or a typed error. */
import * as z from 'zod/mini';
import { clientFrame, type ClientFrame } from './client-frames.ts';
import { MAX_FRAME_BYTES, MAX_ID_LENGTH } from './limits.ts';
import { serverFrame, type ServerFrame, type WireError } from './server-frames.ts';
import { exceedsBytes, textProblem } from './text.ts';

// Workers and strict pages forbid generated code; without this zod tries it and reports a violation.
z.config({ jitless: true });

export type Decoded<T> = { ok: true; frame: T } | { ok: false; error: WireError };

function refuse(code: WireError['code'], message: string, id?: string): { ok: false; error: WireError } {
  return { ok: false, error: { code, message, retryable: false, ...(id === undefined ? {} : { id }) } };
}

/** Reads one client frame: at most MAX_FRAME_BYTES of JSON text of a known shape, with a usable text. */
export function decodeClientFrame(data: string | ArrayBuffer): Decoded<ClientFrame> {
  if (typeof data !== 'string') return refuse('binary_frame', 'Frames are text, not binary.');
  if (exceedsBytes(data, MAX_FRAME_BYTES)) {
    return refuse('frame_too_large', `A frame holds at most ${MAX_FRAME_BYTES} bytes.`);
  }
  const value = parseJson(data);
  if (value === undefined) return refuse('bad_json', 'The frame is not JSON.');
  const parsed = clientFrame.safeParse(value);
  if (!parsed.success) return refuse('bad_frame', describeIssue(parsed.error), idOf(value));
  const frame = parsed.data;
  if (frame.type === 'send' || frame.type === 'edit') {
    const error = textProblem(frame.text, frame.id);
    if (error) return { ok: false, error };
  }
  return { ok: true, frame };
}

/** Reads one server frame. A client treats an unreadable one as a broken connection. */
export function decodeServerFrame(data: unknown): Decoded<ServerFrame> {
  if (typeof data !== 'string') return refuse('binary_frame', 'Frames are text, not binary.');
  const value = parseJson(data);
  if (value === undefined) return refuse('bad_json', 'The frame is not JSON.');
  const parsed = serverFrame.safeParse(value);
  return parsed.success ? { ok: true, frame: parsed.data } : refuse('bad_frame', describeIssue(parsed.error));
}

export function encodeClientFrame(frame: ClientFrame): string {
  return JSON.stringify(frame);
}

export function encodeServerFrame(frame: ServerFrame): string {
  return JSON.stringify(frame);
}

/** The parsed value, or undefined where the text is not JSON (which has no `undefined`). */
function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** One line about what is wrong first. Names fields, never repeats values: they may be private. */
export function describeIssue(error: {
  issues: readonly { code?: string; path: readonly PropertyKey[]; keys?: readonly string[] }[];
}): string {
  const issue = error.issues[0];
  if (!issue) return 'The frame has an unknown shape.';
  const path = issue.path.map(String).join('.');
  if (issue.code === 'invalid_union') return `Unknown or missing "${path || 'type'}".`;
  if (issue.code === 'unrecognized_keys') return 'The frame has a field that its type does not know.';
  return path === '' ? 'The frame is not an object of a known type.' : `"${path}" has a wrong value.`;
}

/** The message a broken frame was about, if it says so in a usable way. */
function idOf(value: unknown): string | undefined {
  if (typeof value !== 'object' || value === null || !('id' in value)) return undefined;
  return typeof value.id === 'string' && value.id.length <= MAX_ID_LENGTH ? value.id : undefined;
}

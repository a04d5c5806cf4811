/** What clients send beside the path, read with bounds: JSON bodies and query parameters. */
import * as z from 'zod/mini';
import { unknownField } from '../protocol/field-names.ts';
import { refused } from './problem.ts';

/** The largest request body, in bytes; as much as one WebSocket frame. */
const MAX_BODY_BYTES = 64 * 1024;

/** A text that storage gives back as it was: half of a surrogate pair has no UTF-8 form. */
export const wellFormed = z.refine<string>((text) => text.isWellFormed());

/**
 * The body as JSON of the schema's shape; no body at all is `undefined` to the schema.
 * @throws RequestRefused `body_too_large`, `bad_json`, `bad_request`
 */
export async function readJson<T>(request: Request, schema: z.core.$ZodType<T>): Promise<T> {
  const bytes = await readBytes(request);
  if (bytes.length === 0) return check(undefined, schema, 'The request needs a JSON body.');
  const mediaType = (request.headers.get('content-type') ?? '').split(';')[0]?.trim().toLowerCase();
  if (mediaType !== 'application/json')
    throw refused('bad_request', 'The body must be Content-Type: application/json.');
  return check(parseJson(bytes), schema, 'The body is not an object of the expected shape.');
}

/**
 * The query parameters that the schema names, each the first of its name; others are ignored.
 * @throws RequestRefused `bad_request` naming the parameter
 */
export function readQuery<T>(request: Request, schema: z.core.$ZodType<T>): T {
  const parameters: Record<string, string> = {};
  for (const [name, value] of new URL(request.url).searchParams) {
    if (!Object.hasOwn(parameters, name)) parameters[name] = value;
  }
  return check(parameters, schema, 'The query is not of the expected shape.');
}

async function readBytes(request: Request): Promise<Uint8Array> {
  const tooLarge = () => refused('body_too_large', `A request body holds at most ${MAX_BODY_BYTES} bytes.`);
  if (Number(request.headers.get('content-length')) > MAX_BODY_BYTES) throw tooLarge();
  if (request.body === null) return new Uint8Array();
  const chunks: Uint8Array[] = [];
  let size = 0;
  // A body in chunks does not say its size before: count what comes, stop at the bound.
  for await (const chunk of chunksOf(request.body)) {
    size += chunk.length;
    if (size > MAX_BODY_BYTES) throw tooLarge();
    chunks.push(chunk);
  }
  const bytes = new Uint8Array(size);
  let offset = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, offset);
    offset += chunk.length;
  }
  return bytes;
}

async function* chunksOf(body: ReadableStream<Uint8Array>): AsyncGenerator<Uint8Array> {
  const reader = body.getReader();
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      yield value;
    }
  } finally {
    // Whoever stops early wants no more of it; after the end this does nothing.
    await reader.cancel().catch(() => undefined);
  }
}

function parseJson(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true, ignoreBOM: false }).decode(bytes));
  } catch {
    throw refused('bad_json', 'The body is not JSON in UTF-8.');
  }
}

function check<T>(value: unknown, schema: z.core.$ZodType<T>, otherwise: string): T {
  const result = z.safeParse(schema, value);
  if (result.success) return result.data;
  throw refused('bad_request', describe(result.error.issues[0], otherwise));
}

/** Names the field, never its value: that may be private. */
function describe(issue: z.core.$ZodIssue | undefined, otherwise: string): string {
  if (issue?.code === 'unrecognized_keys') return unknownField(issue.keys[0]);
  const path = issue?.path.map(String).join('.') ?? '';
  return path === '' ? otherwise : `"${path}" is missing or has a wrong value.`;
}

/** Query parameters that more than one list understands. */
import * as z from 'zod/mini';

const DAY_MS = 24 * 60 * 60 * 1_000;
const DATE = /^\d{4}-\d{2}-\d{2}$/;
/** A time with its zone: without one it would mean another moment on each machine. */
const DATE_TIME = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2}(\.\d{1,3})?)?(Z|[+-]\d{2}:\d{2})$/;
const EPOCH_MS = /^\d{1,15}$/;

/** How many entries a page may hold: 1 to `max`. */
export function limitParameter(fallback: number, max: number) {
  return z._default(integerParameter(1, max), fallback);
}

/** A whole number in plain digits, at least `min` and at most `max`. */
export function integerParameter(min: number, max: number) {
  return z.pipe(
    z.string().check(z.regex(/^\d{1,16}$/)),
    z.pipe(z.transform(Number), z.int().check(z.minimum(min), z.maximum(max))),
  );
}

/**
 * A moment as ms since 1970: written so, or as ISO 8601 with a zone, or as a date in UTC, which is
 * its first moment, or with `endOfDay` the first of the next.
 */
export function timeParameter(endOfDay: boolean) {
  return z.pipe(
    z.string().check(z.refine((text) => !Number.isNaN(parseTime(text, endOfDay)))),
    z.transform((text) => parseTime(text, endOfDay)),
  );
}

function parseTime(text: string, endOfDay: boolean): number {
  if (EPOCH_MS.test(text)) return Number(text);
  if (DATE.test(text)) return Date.parse(text) + (endOfDay ? DAY_MS : 0);
  return DATE_TIME.test(text) ? Date.parse(text) : Number.NaN;
}

/** What variables may hold, kind by kind. */
import * as z from 'zod/mini';
import { endpointUrl } from './bots/spec.ts';

// Header values: anything else would make every request to the endpoint throw.
const VISIBLE_ASCII = /^[\x21-\x7e]+$/;

export const apiKey = z.string().check(z.regex(VISIBLE_ASCII, 'must be visible ASCII characters without spaces'));
/** A comma list; twice the same is once. */
const commaList = z.pipe(
  z.string(),
  z.transform((list) => [
    ...new Set(
      list
        .split(',')
        .map((entry) => entry.trim())
        .filter(Boolean),
    ),
  ]),
);
export const origins = z.pipe(
  commaList,
  z.array(z.string().check(z.refine(isOrigin, 'must be a comma list of origins such as https://chat.example.com'))),
);
export const endpoints = z.pipe(commaList, z.array(endpointUrl));
/** `team.cloudflareaccess.com`, or its URL. */
export const issuer = z.pipe(
  z.pipe(
    z.string(),
    z.transform((domain) => (domain.includes('://') ? domain : `https://${domain}`)),
  ),
  z.string().check(z.refine(isOrigin, 'must be a domain such as team.cloudflareaccess.com')),
);

/** Whole milliseconds from 1 to `max`. */
export function deadline(max: number, fallback: number) {
  const problem = `must be a whole number of milliseconds from 1 to ${max}`;
  const isInRange = (text: string) => /^[1-9][0-9]{0,9}$/.test(text) && Number(text) <= max;
  return z.pipe(z._default(z.string().check(z.refine(isInRange, problem)), String(fallback)), z.transform(Number));
}

/** Exactly as browsers send it: scheme, host and port, nothing more. */
function isOrigin(text: string): boolean {
  return /^https?:/.test(text) && URL.canParse(text) && new URL(text).origin === text;
}

/** Numbers as the report writes them. */
import type { Claim } from './claim.ts';

export const NOT_MEASURED = 'not measured';

/** As exact as anybody has written one down. */
const MOST_DIGITS = 6;

/** Three digits are more than such figures are good for. */
export function numberText(value: number | null): string {
  if (value === null || Number.isNaN(value)) return NOT_MEASURED;
  return textOf(value, digitsOf(value));
}

/** With as many more digits as it takes to be on the side of its limit on which it is: 99.96 is not "100" under 99.98. */
export function besideText(value: number | null, limit: number | null): string {
  if (value === null || Number.isNaN(value) || limit === null) return numberText(value);
  const side = Math.sign(value - limit);
  let digits = digitsOf(value);
  while (digits < MOST_DIGITS && Math.sign(Number(value.toFixed(digits)) - limit) !== side) digits += 1;
  return textOf(value, digits);
}

/** A limit is somebody's word: it is not rounded. */
export function exactText(value: number | null): string {
  return value === null || Number.isNaN(value) ? NOT_MEASURED : textOf(value, MOST_DIGITS);
}

export function limitText(limit: Claim['limit']): string {
  if (limit === null) return '';
  return 'atMost' in limit ? `≤ ${exactText(limit.atMost)}` : `≥ ${exactText(limit.atLeast)}`;
}

export function boundOf(limit: Claim['limit']): number | null {
  if (limit === null) return null;
  return 'atMost' in limit ? limit.atMost : limit.atLeast;
}

function digitsOf(value: number): number {
  const size = Math.abs(value);
  return size >= 100 || Number.isInteger(value) ? 0 : size >= 10 ? 1 : size >= 0.1 || size === 0 ? 2 : 4;
}

function textOf(value: number, digits: number): string {
  return value.toLocaleString('en-US', { maximumFractionDigits: digits });
}

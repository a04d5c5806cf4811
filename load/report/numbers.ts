/** Numbers as the report writes them. */
import type { Claim } from './claim.ts';

export const NOT_MEASURED = 'not measured';

/** Three digits are more than such figures are good for. */
export function numberText(value: number | null): string {
  if (value === null || Number.isNaN(value)) return NOT_MEASURED;
  const size = Math.abs(value);
  const digits = size >= 100 || Number.isInteger(value) ? 0 : size >= 10 ? 1 : size >= 0.1 || size === 0 ? 2 : 4;
  return value.toLocaleString('en-US', { maximumFractionDigits: digits });
}

export function limitText(limit: Claim['limit']): string {
  if (limit === null) return '';
  return 'atMost' in limit ? `≤ ${numberText(limit.atMost)}` : `≥ ${numberText(limit.atLeast)}`;
}

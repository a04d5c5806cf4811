import { byteLength } from '../../protocol/text.ts';

/** From this share of the limit on, the person is told how much is left. */
const NEAR_SHARE = 0.9;
const MAX_BYTES_PER_UNIT = 3;
const number = new Intl.NumberFormat();

interface LengthNote {
  /** Empty while there is room. */
  text: string;
  tooLong: boolean;
}

export function lengthNote(text: string, maxBytes: number): LengthNote {
  // Measuring is only worth it where the length leaves a doubt.
  if (text.length * MAX_BYTES_PER_UNIT < maxBytes * NEAR_SHARE) return { text: '', tooLong: false };
  const bytes = byteLength(text);
  if (bytes > maxBytes) {
    return { text: `Too long by ${number.format(bytes - maxBytes)} bytes`, tooLong: true };
  }
  const near = bytes >= maxBytes * NEAR_SHARE;
  return { text: near ? `${number.format(maxBytes - bytes)} bytes left` : '', tooLong: false };
}

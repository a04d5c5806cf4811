/** Where a write is cut in pieces, for clients that trust reads to match lines. */
import type { Fault } from './faults.ts';

export type Splitter = (text: string) => readonly Uint8Array[];

export function splitterFor(faults: readonly Fault[]): Splitter | null {
  for (const { name } of faults) {
    if (name === 'split-bytes') return everyByte;
    if (name === 'split-utf8') return insideCharacters;
    if (name === 'split-lines') return halfLines;
  }
  return null;
}

function everyByte(text: string): readonly Uint8Array[] {
  const bytes = Buffer.from(text);
  return Array.from(bytes, (_, index) => bytes.subarray(index, index + 1));
}

/** A cut before every continuation byte, so no multi-byte character comes in one piece. */
function insideCharacters(text: string): readonly Uint8Array[] {
  const bytes = Buffer.from(text);
  const cuts: number[] = [];
  for (const [index, byte] of bytes.entries()) {
    if ((byte & 0b1100_0000) === 0b1000_0000) cuts.push(index);
  }
  return pieces(bytes, cuts);
}

function halfLines(text: string): readonly Uint8Array[] {
  const bytes = Buffer.from(text);
  const cuts: number[] = [];
  for (let start = 0; start < bytes.length;) {
    const newline = bytes.indexOf(10, start);
    const end = newline < 0 ? bytes.length : newline + 1;
    if (end - start > 1) cuts.push(start + ((end - start) >> 1));
    if (end < bytes.length) cuts.push(end);
    start = end;
  }
  return pieces(bytes, cuts);
}

function pieces(bytes: Buffer, cuts: readonly number[]): readonly Uint8Array[] {
  const starts = [0, ...cuts];
  return starts.map((start, index) => bytes.subarray(start, starts[index + 1] ?? bytes.length));
}

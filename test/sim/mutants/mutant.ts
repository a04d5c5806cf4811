/** What a planted bug is: changes of the source, each of which applies in exactly one place. */
import type { Patch } from '../hooks.ts';

export interface Mutant {
  name: string;
  patches: Patch[];
}

/** A bug of one place. */
export function bug(name: string, file: string, find: string, replace: string): Mutant {
  return { name, patches: [{ file, find, replace }] };
}

import type { Patch } from '../../sim/hooks.ts';

/** A check of who may do what, taken away: where it is, what stands there instead, and the rule that is broken then. */
export interface Removal {
  /** The file in `rules/` and the rule in it. */
  file: string;
  rule: string;
  patch: Patch;
}

/** The checks behind the rules of one file: rule, source file, the text that makes the check, what stands there instead. */
export function removals(
  file: string,
  checks: readonly [rule: string, source: string, find: string, replace: string][],
): Removal[] {
  return checks.map(([rule, source, find, replace]) => ({ file, rule, patch: { file: source, find, replace } }));
}

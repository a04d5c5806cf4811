/**
 * Planted bugs: what a tired engineer might write. Each is a change of the source that applies in exactly
 * one place; the simulator and its checker have to notice it.
 */
import { BOTS_MUTANTS } from './mutants/bots.ts';
import { CLIENT_MUTANTS } from './mutants/client.ts';
import { CORE_MUTANTS } from './mutants/core.ts';
import { DELIVERY_MUTANTS } from './mutants/delivery.ts';
import { LOG_MUTANTS } from './mutants/log.ts';
import type { Mutant } from './mutants/mutant.ts';
import { RUNTIME_MUTANTS } from './mutants/runtime.ts';
import { TABS_MUTANTS } from './mutants/tabs.ts';

export const MUTANTS: readonly Mutant[] = [
  ...CORE_MUTANTS,
  ...LOG_MUTANTS,
  ...RUNTIME_MUTANTS,
  ...TABS_MUTANTS,
  ...DELIVERY_MUTANTS,
  ...CLIENT_MUTANTS,
  ...BOTS_MUTANTS,
];

/** All scenarios, in the order of `--list`. */
import { answers } from './scenarios/answers.ts';
import type { Scenario } from './scenario.ts';

export const SCENARIOS: readonly Scenario[] = [answers];

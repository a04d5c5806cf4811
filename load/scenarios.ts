/** All scenarios, in the order of `--list`. */
import { answers } from './scenarios/answers.ts';
import { connections } from './scenarios/connections.ts';
import { linear } from './scenarios/linear.ts';
import { operations } from './scenarios/operations.ts';
import { peers } from './scenarios/peers.ts';
import { render } from './scenarios/render.ts';
import { soak } from './scenarios/soak.ts';
import { spike } from './scenarios/spike.ts';
import { steadyScenarios } from './scenarios/steady.ts';
import { stress } from './scenarios/stress.ts';
import type { Scenario } from './scenario.ts';

export const SCENARIOS: readonly Scenario[] = [
  ...steadyScenarios,
  stress,
  spike,
  soak,
  connections,
  linear,
  operations,
  render,
  answers,
  peers,
];

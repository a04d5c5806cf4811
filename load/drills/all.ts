/** All drills, in the order of `--list`. */
import type { Scenario } from '../scenario.ts';
import { crash } from './crash.ts';
import { asScenario } from './drill.ts';
import { drops } from './drops.ts';
import { latency } from './latency.ts';
import { reconnectStorm } from './reconnect-storm.ts';

export const DRILLS: readonly Scenario[] = [crash, latency, drops, reconnectStorm].map(asScenario);

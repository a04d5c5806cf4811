/** All drills, in the order of `--list`. */
import type { Scenario } from '../scenario.ts';
import { crash } from './crash.ts';
import { d1Down } from './d1-down.ts';
import { asScenario } from './drill.ts';
import { drops } from './drops.ts';
import { latency } from './latency.ts';
import { memory } from './memory.ts';
import { reconnectStorm } from './reconnect-storm.ts';
import { silentModel } from './silent-model.ts';
import { slowReader } from './slow-reader.ts';
import { upgrade } from './upgrade.ts';

export const DRILLS: readonly Scenario[] = [
  crash,
  latency,
  memory,
  drops,
  silentModel,
  d1Down,
  slowReader,
  reconnectStorm,
  upgrade,
].map(asScenario);

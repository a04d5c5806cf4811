/** What `wrangler dev` needs and cannot make itself: local secrets, and a config that holds. */
import { join } from 'node:path';
import { parseConfig } from '../env.ts';
import { ROOT } from './build-worker.ts';
import { localVariables, withSecrets } from './variables.ts';

const devVars = join(ROOT, '.dev.vars');
parseConfig(withSecrets(localVariables(devVars, {}), devVars));

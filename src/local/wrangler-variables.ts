/** `[vars]` of wrangler.toml: the variables of every Switchboard that nobody has configured further. */
import { join } from 'node:path';
import { unstable_readConfig } from 'wrangler';
import { ROOT } from './build-worker.ts';
import type { Values } from './variables.ts';

export function wranglerVariables(): Values {
  return unstable_readConfig({ config: join(ROOT, 'wrangler.toml') }, { hideWarnings: true }).vars;
}

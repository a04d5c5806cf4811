/** `npm run dev`: `wrangler dev`, with what it needs and cannot make itself: secrets that hold, and tables. */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { parseConfig } from '../env.ts';
import { ROOT } from './build-worker.ts';
import { runCommand } from './command.ts';
import { addSecrets, readVariables } from './variables.ts';
import { wranglerVariables } from './wrangler-variables.ts';

/** Wrangler would ask Cloudflare where requests come from, and complain on a machine without internet. */
const env = { ...process.env, CLOUDFLARE_CF_FETCH_ENABLED: 'false' };

async function main(): Promise<void> {
  const devVars = join(ROOT, '.dev.vars');
  // No environment: `wrangler dev` reads the two files by itself and passes nothing else on.
  const variables = readVariables({ wranglerToml: wranglerVariables(), devVars, environment: {} });
  parseConfig(addSecrets(variables, devVars).values);
  wrangler('d1', 'migrations', 'apply', 'DB', '--local');
  wrangler('dev', '--var', 'LOCAL_SERVER:true', ...process.argv.slice(2));
}

function wrangler(...args: string[]): void {
  const { status } = spawnSync('wrangler', args, { cwd: ROOT, stdio: 'inherit', env });
  if (status !== 0) process.exit(status ?? 1);
}

await runCommand(main);

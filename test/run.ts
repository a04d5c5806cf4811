/**
 * `npm test`: builds what the tests run, finds or installs a browser, then runs every test.
 * Arguments are passed on to vitest: `npm test -- --project node test/session`.
 * `npm test -- --long` is an hour of faults: seeds, planted bugs and kills.
 */
import { spawnSync } from 'node:child_process';
import { buildWeb, describeBuild } from '../src/local/build-web.ts';
import { buildWorker } from '../src/local/build-worker.ts';
import { findBrowser, installBrowser } from './support/browser.ts';

function step(what: string): void {
  console.log(`[test] ${what}`);
}

step('building the page and the Worker');
const [web] = await Promise.all([buildWeb(), buildWorker()]);
console.log(describeBuild(web));

step('looking for a browser');
const browser = findBrowser() ?? installBrowser((line) => step(line));
if (browser === null) {
  console.error(
    '[test] No Chromium was found or could be installed. Install one, or set CHROMIUM_PATH to it, and run again.',
  );
  process.exit(1);
}
step(`using ${browser}`);

const given = process.argv.slice(2);
const isLong = given.includes('--long');
const wanted = given.filter((argument) => argument !== '--long');
const standard = ['house', 'node', 'workers', 'faults', 'performance'].flatMap((project) => ['--project', project]);
const args = isLong ? ['--project', 'faults', ...wanted] : wanted.length > 0 ? wanted : standard;
const { status } = spawnSync('vitest', ['run', ...args], {
  stdio: 'inherit',
  env: { ...process.env, CHROMIUM_PATH: browser, WRANGLER_SEND_METRICS: 'false', ...(isLong ? { LONG: '1' } : {}) },
});
process.exit(status ?? 1);

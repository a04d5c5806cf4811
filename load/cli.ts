/** `npm run load -- SCENARIO`: runs it, shows its figures, and fails when a gate is missed. */
import { parseArgs } from 'node:util';
import { COMMON_OPTIONS, EXIT, interruption, namedOf, numberOf, runAndShow, runCommand, stateOf } from './command.ts';
import { reportCommand } from './report/command.ts';
import { LoadError } from './scenario.ts';
import { SCENARIOS } from './scenarios.ts';

const HELP = `npm run load -- report          everything, and what is to be said of it; report --help
npm run load -- SCENARIO [options]
  --list                 the scenarios
  --seconds N            how long is measured in all
  --full                 as long as in the reports, where that is longer than a coffee
  --users N              users at once
  --tokens N             tokens of an answer
  --state DIR            where servers keep their state (default: in memory; on a disk its syncs are what is measured)
  --json FILE            write every figure and every round
  --html FILE            the page with drawings (default: beside --json, or dist/load/SCENARIO.html)
  --url URL              load this server instead of one of its own; not on this machine only with
  --yes-i-own-this       which says that you may`;

const MAX_SECONDS = 24 * 60 * 60;
const MAX_USERS = 20_000;
const MAX_TOKENS = 100_000;
const LOOPBACK = new Set(['127.0.0.1', 'localhost', '[::1]']);

async function main(): Promise<number> {
  const [first, ...rest] = process.argv.slice(2);
  if (first === 'report') return (await reportCommand(rest, interruption())) ? EXIT.ok : EXIT.failed;
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      ...COMMON_OPTIONS,
      full: { type: 'boolean', default: false },
      tokens: { type: 'string' },
      url: { type: 'string' },
      'yes-i-own-this': { type: 'boolean', default: false },
    },
  });
  if (values.help || values.list || positionals.length === 0) {
    console.log(values.help || !values.list ? HELP : listText());
    return values.help || values.list ? EXIT.ok : EXIT.failed;
  }
  const asked = {
    full: values.full,
    seconds: numberOf('--seconds', values.seconds, MAX_SECONDS),
    users: numberOf('--users', values.users, MAX_USERS),
    tokens: numberOf('--tokens', values.tokens, MAX_TOKENS),
    state: stateOf(values.state),
    url: urlOf(values.url, values['yes-i-own-this']),
  };
  return runAndShow('scenario', namedOf('scenario', SCENARIOS, positionals), asked, values);
}

function listText(): string {
  return SCENARIOS.map(({ name, summary }) => `${name.padEnd(12)} ${summary}`).join('\n');
}

/** Load on somebody else's server is an attack. */
function urlOf(text: string | undefined, isOwn: boolean): URL | null {
  if (text === undefined) return null;
  if (!/^https?:/.test(text) || !URL.canParse(text))
    throw new LoadError('usage', `--url ${text} is not an http(s) URL.`);
  const url = new URL(text);
  if (isOwn || LOOPBACK.has(url.hostname)) return url;
  throw new LoadError('usage', `${url.hostname} is not this machine. Add --yes-i-own-this if you may load it.`);
}

await runCommand(main);

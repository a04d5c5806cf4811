/** `npm run drill -- NAME`: breaks something under load, shows what came of it, and fails when a claim is missed. */
import { parseArgs } from 'node:util';
import { COMMON_OPTIONS, EXIT, namedOf, numberOf, runAndShow, runCommand, stateOf } from './command.ts';
import { DRILLS } from './drills/all.ts';

const HELP = `npm run drill -- NAME [options]
  --list                 the drills
  --seconds N            how long users talk in all: before, during and after the fault
  --users N              users who talk; the rate grows with them
  --state DIR            where the server keeps its state (default: in memory)
  --json FILE            write every figure
  --html FILE            the page with drawings (default: beside --json, or dist/load/NAME.html)`;

const MAX_SECONDS = 600;
const MAX_USERS = 5_000;

async function main(): Promise<number> {
  const { values, positionals } = parseArgs({ allowPositionals: true, options: COMMON_OPTIONS });
  if (values.help || values.list || positionals.length === 0) {
    console.log(values.help || !values.list ? HELP : listText());
    return values.help || values.list ? EXIT.ok : EXIT.failed;
  }
  const asked = {
    full: false,
    seconds: numberOf('--seconds', values.seconds, MAX_SECONDS),
    users: numberOf('--users', values.users, MAX_USERS),
    tokens: null,
    state: stateOf(values.state),
    url: null,
  };
  return runAndShow('drill', namedOf('drill', DRILLS, positionals), asked, values);
}

function listText(): string {
  return DRILLS.map(({ name, summary }) => `${name.padEnd(16)} ${summary}`).join('\n');
}

await runCommand(main);

/** `npm run load -- SCENARIO`: runs it, shows its figures, and fails when a gate is missed. */
import { writeFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { EXIT, interruption, jsonFileOf, numberOf, runCommand, stateOf } from './command.ts';
import { currentCommit, describeMachine } from './machine.ts';
import { createProgress } from './progress.ts';
import { reportCommand } from './report/command.ts';
import { LoadError, type ScenarioOptions, type ScenarioResult } from './scenario.ts';
import { SCENARIOS } from './scenarios.ts';
import { resultText } from './table.ts';

const HELP = `npm run load -- report          everything, and what is to be said of it; report --help
npm run load -- SCENARIO [options]
  --list                 the scenarios
  --seconds N            how long is measured in all
  --full                 as long as in the reports, where that is longer than a coffee
  --users N              users at once
  --tokens N             tokens of an answer
  --state DIR            where servers keep their state (default: in memory; on a disk its syncs are what is measured)
  --json FILE            write every figure and every round
  --url URL              load this server instead of one of its own; not on this machine only with
  --yes-i-own-this       which says that you may`;

const MAX_SECONDS = 24 * 60 * 60;
const MAX_USERS = 20_000;
const MAX_TOKENS = 100_000;
const LOOPBACK = new Set(['127.0.0.1', 'localhost', '[::1]']);

async function main(): Promise<number> {
  const [first, ...rest] = process.argv.slice(2);
  if (first === 'report') {
    await reportCommand(rest, interruption());
    return EXIT.ok;
  }
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      list: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
      full: { type: 'boolean', default: false },
      seconds: { type: 'string' },
      users: { type: 'string' },
      tokens: { type: 'string' },
      state: { type: 'string' },
      json: { type: 'string' },
      url: { type: 'string' },
      'yes-i-own-this': { type: 'boolean', default: false },
    },
  });
  const [name, ...others] = positionals;
  if (values.help || values.list || name === undefined) {
    console.log(values.help || !values.list ? HELP : listText());
    return values.help || values.list ? EXIT.ok : EXIT.failed;
  }
  if (others.length > 0) throw new LoadError('usage', 'Name one scenario.');
  const scenario = SCENARIOS.find((candidate) => candidate.name === name);
  if (!scenario) throw new LoadError('usage', `There is no scenario "${name}". --list shows them.`);
  const progress = createProgress();
  const options: ScenarioOptions = {
    full: values.full,
    seconds: numberOf('--seconds', values.seconds, MAX_SECONDS),
    users: numberOf('--users', values.users, MAX_USERS),
    tokens: numberOf('--tokens', values.tokens, MAX_TOKENS),
    state: stateOf(values.state),
    url: urlOf(values.url, values['yes-i-own-this']),
    signal: interruption(),
    progress: progress.show,
  };
  const jsonFile = await jsonFileOf(values.json);
  const startedAt = new Date();
  let result: ScenarioResult;
  try {
    result = await scenario.run(options);
  } finally {
    progress.clear();
  }
  const ok = result.gates.every((gate) => gate.ok);
  console.log(`${scenario.name}\n\n${resultText(result)}`);
  if (jsonFile !== null) {
    const { seconds, users, tokens, state, url } = options;
    const about = { scenario: scenario.name, startedAt, commit: await currentCommit(), machine: describeMachine() };
    const report = { ...about, options: { seconds, users, tokens, state, url }, ok, ...result };
    await writeFile(jsonFile, `${JSON.stringify(report, null, 2)}\n`);
  }
  return ok ? EXIT.ok : EXIT.failed;
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

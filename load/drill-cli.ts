/** `npm run drill -- NAME`: breaks something under load, shows what came of it, and fails when a claim is missed. */
import { writeFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { EXIT, interruption, jsonFileOf, numberOf, runCommand, stateOf } from './command.ts';
import { DRILLS } from './drills/all.ts';
import { currentCommit, describeMachine } from './machine.ts';
import { createProgress } from './progress.ts';
import { LoadError, type ScenarioOptions, type ScenarioResult } from './scenario.ts';
import { resultText } from './table.ts';

const HELP = `npm run drill -- NAME [options]
  --list                 the drills
  --seconds N            how long users talk in all: before, during and after the fault
  --users N              users who talk; the rate grows with them
  --state DIR            where the server keeps its state (default: in memory)
  --json FILE            write every figure`;

const MAX_SECONDS = 600;
const MAX_USERS = 5_000;

async function main(): Promise<number> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      list: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
      seconds: { type: 'string' },
      users: { type: 'string' },
      state: { type: 'string' },
      json: { type: 'string' },
    },
  });
  const [name, ...others] = positionals;
  if (values.help || values.list || name === undefined) {
    console.log(values.help || !values.list ? HELP : listText());
    return values.help || values.list ? EXIT.ok : EXIT.failed;
  }
  if (others.length > 0) throw new LoadError('usage', 'Name one drill.');
  const drill = DRILLS.find((candidate) => candidate.name === name);
  if (!drill) throw new LoadError('usage', `There is no drill "${name}". --list shows them.`);
  const progress = createProgress();
  const options: ScenarioOptions = {
    full: false,
    seconds: numberOf('--seconds', values.seconds, MAX_SECONDS),
    users: numberOf('--users', values.users, MAX_USERS),
    tokens: null,
    state: stateOf(values.state),
    url: null,
    signal: interruption(),
    progress: progress.show,
  };
  const jsonFile = await jsonFileOf(values.json);
  const startedAt = new Date();
  let result: ScenarioResult;
  try {
    result = await drill.run(options);
  } finally {
    progress.clear();
  }
  const ok = result.gates.every((gate) => gate.ok);
  console.log(`${drill.name}\n\n${resultText(result)}`);
  if (jsonFile !== null) {
    const about = { drill: drill.name, startedAt, commit: await currentCommit(), machine: describeMachine() };
    await writeFile(jsonFile, `${JSON.stringify({ ...about, ok, ...result }, null, 2)}\n`);
  }
  return ok ? EXIT.ok : EXIT.failed;
}

function listText(): string {
  return DRILLS.map(({ name, summary }) => `${name.padEnd(16)} ${summary}`).join('\n');
}

await runCommand(main);

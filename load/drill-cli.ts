/** `npm run drill -- NAME`: breaks something under load, shows what came of it, and fails when a claim is missed. */
import { writeFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
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
const EXIT = { ok: 0, failed: 1, interrupted: 130 };

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
    state: values.state ?? null,
    url: null,
    signal: interruption(),
    progress: progress.show,
  };
  const startedAt = new Date();
  let result: ScenarioResult;
  try {
    result = await drill.run(options);
  } finally {
    progress.clear();
  }
  const ok = result.gates.every((gate) => gate.ok);
  console.log(`${drill.name}\n\n${resultText(result)}`);
  if (values.json !== undefined) {
    const about = { drill: drill.name, startedAt, commit: await currentCommit(), machine: describeMachine() };
    await writeFile(values.json, `${JSON.stringify({ ...about, ok, ...result }, null, 2)}\n`);
  }
  return ok ? EXIT.ok : EXIT.failed;
}

function listText(): string {
  return DRILLS.map(({ name, summary }) => `${name.padEnd(16)} ${summary}`).join('\n');
}

function numberOf(option: string, text: string | undefined, max: number): number | null {
  if (text === undefined) return null;
  const value = Number(text);
  if (Number.isInteger(value) && value >= 1 && value <= max) return value;
  throw new LoadError('usage', `${option} must be a whole number from 1 to ${max}.`);
}

/** The first Ctrl-C ends the drill and what it started; the second one this process, at once. */
function interruption(): AbortSignal {
  const controller = new AbortController();
  for (const name of ['SIGINT', 'SIGTERM'] as const) {
    process.on(name, () => {
      if (controller.signal.aborted) process.exit(EXIT.interrupted);
      controller.abort(new LoadError('not_finished', 'Interrupted.'));
    });
  }
  return controller.signal;
}

try {
  process.exitCode = await main();
} catch (error) {
  const isExpected = error instanceof LoadError || (error instanceof TypeError && 'code' in error);
  console.error(isExpected ? error.message : error);
  process.exitCode = EXIT.failed;
}

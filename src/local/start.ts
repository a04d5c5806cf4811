/** `npm start`: everything a fresh machine needs, then one "Ready on" line. */
import { join, relative } from 'node:path';
import { parseArgs } from 'node:util';
import { parseConfig } from '../env.ts';
import { buildWeb } from './build-web.ts';
import { buildWorker, ROOT } from './build-worker.ts';
import { everyHour } from './clock.ts';
import { runCommand, UsageError } from './command.ts';
import { startLocalServer } from './local-server.ts';
import { chooseModel, describeSource, findModelSource } from './model-source.ts';
import { lockState } from './state-lock.ts';
import { addSecrets, readVariables, type LocalVariables } from './variables.ts';
import { wranglerVariables } from './wrangler-variables.ts';

const HELP = `npm start -- [options]
  --port N       port to listen on (8787)
  --persist DIR  where state is kept (.wrangler/state)
  --ollama URL   the Ollama to use, instead of OLLAMA_BASE_URL`;
const DEV_VARS = join(ROOT, '.dev.vars');
const MAX_PORT = 65_535;
/** How often it is looked whether what started this process is still there. */
const PARENT_LOOK_MS = 500;

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      port: { type: 'string', default: '8787' },
      persist: { type: 'string', default: join(ROOT, '.wrangler/state') },
      ollama: { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) return console.log(HELP);
  const port = parsePort(values.port);
  const { values: variables, places } = localVariables(values.ollama);
  const config = parseConfig(variables);
  const lock = await lockState(values.persist);

  step('Building the page and the Worker');
  const [bundle] = await Promise.all([buildWorker(), buildWeb()]);
  step('Looking for a model');
  const source = await findModelSource(config.endpoint);
  const isChosen = chosenIn(places, 'DEFAULT_MODEL');
  const choice = chooseModel(source, config.defaultModel, isChosen);
  step('Starting the server');
  const server = await startLocalServer({
    bundle,
    persist: values.persist,
    port,
    variables: {
      ...variables,
      OLLAMA_BASE_URL: source.baseUrl,
      DEFAULT_MODEL: choice.model,
      MODEL_SOURCE: source.kind,
      // A line for every request is for whoever collects them; in a terminal it hides what is wrong.
      ...(chosenIn(places, 'LOG_LEVEL') ? {} : { LOG_LEVEL: 'error' }),
    },
  });
  lock.holder = `the server at ${server.url.origin}`;

  console.log(`\n${describeSource(source, choice)}`);
  console.log(`Operator token: OPERATOR_TOKEN in ${tokenPlace(places)}`);
  console.log(`Operator console: ${server.url.origin}/operator`);
  console.log(`Ready on ${server.url.origin}`);
  const stopClock = everyHour(async () => (await server.miniflare.getWorker()).scheduled());
  await untilInterrupted();
  stopClock();
  await server.stop();
  await lock.release();
  await source.stop();
}

function parsePort(text: string): number {
  if (/^[0-9]{1,5}$/.test(text) && Number(text) <= MAX_PORT) return Number(text);
  throw new UsageError(`--port ${text} is not a port`);
}

function localVariables(ollama: string | undefined): LocalVariables {
  const places = { wranglerToml: wranglerVariables(), devVars: DEV_VARS, environment: process.env };
  const variables = addSecrets(readVariables(places), DEV_VARS);
  if (ollama !== undefined) variables.values['OLLAMA_BASE_URL'] = ollama;
  return variables;
}

/** Whether somebody set the variable themselves; wrangler.toml comes with the project. */
function chosenIn(places: LocalVariables['places'], name: string): boolean {
  return places.has(name) && places.get(name) !== 'wrangler.toml';
}

function tokenPlace(places: LocalVariables['places']): string {
  const place = places.get('OPERATOR_TOKEN');
  if (place === 'environment') return 'your environment';
  return place === 'wrangler.toml' ? place : relative(process.cwd(), DEV_VARS);
}

function step(what: string): void {
  console.log(`${what} ...`);
}

function untilInterrupted(): Promise<void> {
  return new Promise((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => resolve());
    // npm tells a signal to its shell, which ends and tells nobody: port and state would stay taken. By hand it may go on alone.
    const parent = process.ppid;
    const look = (): void => {
      if (process.ppid !== parent) resolve();
    };
    if (process.env['npm_lifecycle_event'] !== undefined) setInterval(look, PARENT_LOOK_MS).unref();
  });
}

await runCommand(main);

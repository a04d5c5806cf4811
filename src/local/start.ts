/** `npm start`: everything a fresh machine needs, then one "Ready on" line. */
import { join, relative } from 'node:path';
import { parseArgs } from 'node:util';
import { ConfigError, parseConfig } from '../env.ts';
import { buildWeb } from './build-web.ts';
import { buildWorker, ROOT } from './build-worker.ts';
import { startLocalServer } from './local-server.ts';
import { findModelSource, type ModelSource } from './model-source.ts';
import { localVariables, withSecrets } from './variables.ts';

const HELP = `npm start -- [options]
  --port N       port to listen on (8787)
  --persist DIR  where state is kept (.wrangler/state)
  --ollama URL   the Ollama to use (OLLAMA_BASE_URL, else http://127.0.0.1:11434)`;
const DEFAULT_OLLAMA_URL = 'http://127.0.0.1:11434';

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
  const port = Number(values.port);
  if (!Number.isInteger(port) || port < 0 || port > 65_535) throw new Error(`--port ${values.port} is not a port`);

  const devVars = join(ROOT, '.dev.vars');
  const own = localVariables(devVars, process.env);
  if (values.ollama !== undefined) own.OLLAMA_BASE_URL = values.ollama;
  const variables = withSecrets(own, devVars);
  parseConfig(variables);

  step('Building the page and the Worker');
  const [bundle] = await Promise.all([buildWorker(), buildWeb()]);
  step('Looking for a model');
  const source = await findModelSource(variables.OLLAMA_BASE_URL ?? DEFAULT_OLLAMA_URL, variables.OLLAMA_API_KEY);
  const model = chooseModel(source, variables.DEFAULT_MODEL);
  step('Starting the server');
  const server = await startLocalServer({
    bundle,
    persist: values.persist,
    port,
    variables: { ...variables, OLLAMA_BASE_URL: source.baseUrl, DEFAULT_MODEL: model, MODEL_SOURCE: source.kind },
  });

  console.log(`\n${describeSource(source, model)}`);
  console.log(
    `Operator token: OPERATOR_TOKEN in ${process.env.OPERATOR_TOKEN ? 'your environment' : relative(process.cwd(), devVars)}`,
  );
  console.log(`Ready on ${server.url.origin}`);
  await untilInterrupted();
  await server.stop();
  await source.stop();
}

/** The model that was asked for; without a wish, the first one that the source has. */
function chooseModel(source: ModelSource, wanted: string | undefined): string {
  if (wanted !== undefined && source.kind === 'ollama') return wanted;
  return source.models[0] ?? wanted ?? 'llama3.2';
}

function describeSource(source: ModelSource, model: string): string {
  if (source.kind === 'ollama') return `Model source: Ollama at ${source.baseUrl}, default model ${model}`;
  return [
    'Model source: the built-in simulator. No Ollama answered, so no language model runs:',
    'answers are made up by a program. Set OLLAMA_BASE_URL, or --ollama URL, to use your own.',
  ].join('\n');
}

function step(what: string): void {
  console.log(`${what} ...`);
}

function untilInterrupted(): Promise<void> {
  return new Promise((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => resolve());
  });
}

try {
  await main();
} catch (error) {
  const expected = error instanceof ConfigError || (error instanceof Error && 'code' in error);
  console.error(error instanceof Error && (expected || error.message.startsWith('--')) ? error.message : error);
  process.exit(1);
}

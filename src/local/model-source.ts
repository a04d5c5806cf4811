/** Which model server a local Switchboard uses: the Ollama that answers, else the simulator, and it says which. */
import { isChatModel, isListed } from '../bots/model-bots.ts';
import { DEFAULT_MODEL, type Config } from '../env.ts';
import { listModels } from '../responders/discovery.ts';
import { TurnFailure } from '../responders/port.ts';
import { startSimulator } from './simulator/server.ts';

/** How long to wait for an Ollama before deciding that there is none. */
const PROBE_TIMEOUT_MS = 1_500;
/** Slow enough to watch an answer grow. */
const SIMULATOR_PACE = { tokenMs: 25, firstTokenMs: 300 };

interface Source {
  baseUrl: string;
  /** Those that can hold a conversation, in the order of the source. */
  models: readonly string[];
  stop(): Promise<void>;
}

/** `because` says why it is the simulator. */
export type ModelSource = Source & ({ kind: 'ollama' } | { kind: 'simulator'; because: string });

export async function findModelSource(endpoint: Config['endpoint']): Promise<ModelSource> {
  const { baseUrl } = endpoint;
  const found = await modelsAt(endpoint);
  if (found.ok) return { kind: 'ollama', baseUrl, models: found.models, stop: async () => {} };
  const simulator = await startSimulator(SIMULATOR_PACE);
  const own = await modelsAt({ baseUrl: simulator.url, apiKey: null });
  if (!own.ok) throw new Error(`The simulator does not answer: ${own.reason}`);
  return {
    kind: 'simulator',
    because: `No Ollama answered at ${baseUrl}: ${found.reason}`,
    baseUrl: simulator.url,
    models: own.models,
    stop: () => simulator.close(),
  };
}

type Listing = { ok: true; models: string[] } | { ok: false; reason: string };

async function modelsAt(endpoint: Config['endpoint']): Promise<Listing> {
  const signal = AbortSignal.timeout(PROBE_TIMEOUT_MS);
  try {
    const models = await listModels({ kind: 'ollama', ...endpoint }, signal);
    return { ok: true, models: models.filter(isChatModel).map(({ model }) => model) };
  } catch (error) {
    if (error instanceof TurnFailure) return { ok: false, reason: error.message };
    if (signal.aborted) return { ok: false, reason: `The endpoint did not answer within ${PROBE_TIMEOUT_MS} ms.` };
    throw error;
  }
}

export interface ModelChoice {
  model: string;
  /** What people should know about it; empty for nothing. */
  remark: string;
}

/**
 * The configured model. One that nobody chose (`isChosen`: somebody set it for this server) gives
 * way to the first of the source when the source lacks it; the simulator has only its own.
 */
export function chooseModel(
  source: Pick<ModelSource, 'kind' | 'models'>,
  configured: string,
  isChosen: boolean,
): ModelChoice {
  const [first] = source.models;
  if (source.kind === 'simulator') return { model: first ?? configured, remark: '' };
  if (isListed(configured, source.models)) return { model: configured, remark: '' };
  if (isChosen || configured !== DEFAULT_MODEL || first === undefined) {
    return { model: configured, remark: `which it does not have yet (ollama pull ${configured})` };
  }
  return { model: first, remark: `the first one it lists, since it has no ${configured}` };
}

/** Lines for people. */
export function describeSource(source: ModelSource, { model, remark }: ModelChoice): string {
  if (source.kind === 'ollama') {
    return `Model source: Ollama at ${source.baseUrl}, default model ${[model, remark].filter(Boolean).join(', ')}`;
  }
  return [
    `Model source: the built-in simulator. ${source.because}`,
    'So no language model runs: answers are made up by a program.',
    'Set OLLAMA_BASE_URL, or --ollama URL, to use your own.',
  ].join('\n');
}

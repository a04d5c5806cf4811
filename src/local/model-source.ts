/** Which model server a local Switchboard uses: the Ollama that answers, else the simulator, and it says which. */
import { startSimulator } from './simulator/server.ts';

/** How long to wait for an Ollama before deciding that there is none. */
const PROBE_TIMEOUT_MS = 1_500;

export interface ModelSource {
  kind: 'ollama' | 'simulator';
  baseUrl: string;
  models: string[];
  stop(): Promise<void>;
}

export async function findModelSource(ollamaUrl: string, apiKey: string | undefined): Promise<ModelSource> {
  const models = await listModels(ollamaUrl, apiKey);
  if (models) return { kind: 'ollama', baseUrl: ollamaUrl, models, stop: async () => {} };
  const simulator = await startSimulator({ tokenMs: 25, firstTokenMs: 300 });
  return {
    kind: 'simulator',
    baseUrl: simulator.url,
    models: (await listModels(simulator.url, undefined)) ?? [],
    stop: () => simulator.close(),
  };
}

/** The names of the models an Ollama at `url` has, or null when none answers there. */
async function listModels(url: string, apiKey: string | undefined): Promise<string[] | null> {
  try {
    const response = await fetch(new URL('/api/tags', url), {
      signal: AbortSignal.timeout(PROBE_TIMEOUT_MS),
      headers: apiKey === undefined ? {} : { authorization: `Bearer ${apiKey}` },
    });
    if (!response.ok) return null;
    const body: unknown = await response.json();
    if (typeof body !== 'object' || body === null || !('models' in body) || !Array.isArray(body.models)) return null;
    const listed: unknown[] = body.models;
    return listed.flatMap((model) =>
      typeof model === 'object' && model !== null && 'name' in model && typeof model.name === 'string'
        ? [model.name]
        : [],
    );
  } catch {
    return null;
  }
}

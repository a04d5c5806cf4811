/** The models the simulator lists, and which of them are "loaded" (`/api/ps`). */
import { createHash } from 'node:crypto';
import type { JsonObject } from './json.ts';
import type { Settings } from './settings.ts';

export interface Model {
  readonly name: string;
  readonly thinking: boolean;
  readonly settings: Partial<Settings>;
}

export const MODELS: readonly Model[] = [
  { name: 'simulator:latest', thinking: false, settings: {} },
  { name: 'simulator-thinking:latest', thinking: true, settings: { thinkingTokens: 24 } },
  {
    name: 'simulator-slow:latest',
    thinking: false,
    settings: { firstTokenMs: 1_500, tokenMs: 120 },
  },
];

const CONTEXT_LENGTH = 8192;
const FORMAT = 'simulator';
/** Nothing was ever modified; a fixed time keeps lists comparable between runs. */
const MODIFIED_AT = '2026-01-01T00:00:00Z';
const PATTERN = /^(?:[\w.:-]+\/)*(?<model>\w[\w.-]*)(?::(?<tag>\w[\w.-]*))?$/;

type Lookup =
  | { readonly found: 'model'; readonly model: Model }
  | { readonly found: 'nothing'; readonly fullName: string }
  | { readonly found: 'invalid' };

/** Ollama completes a name without tag by `:latest` and ignores case. */
export function findModel(name: string): Lookup {
  const groups = PATTERN.exec(name)?.groups;
  if (groups === undefined) return { found: 'invalid' };
  const fullName = `${groups['model'] ?? ''}:${groups['tag'] ?? 'latest'}`;
  const model = MODELS.find((each) => each.name === fullName.toLowerCase());
  return model === undefined ? { found: 'nothing', fullName } : { found: 'model', model };
}

function capabilities(model: Model): readonly string[] {
  return ['completion', 'tools', 'vision', ...(model.thinking ? ['thinking'] : [])];
}

function digest(model: Model): string {
  return createHash('sha256').update(model.name).digest('hex');
}

function details(): JsonObject {
  return {
    parent_model: '',
    format: FORMAT,
    family: 'simulator',
    families: ['simulator'],
    parameter_size: '0',
    quantization_level: 'none',
  };
}

export function tags(): JsonObject {
  const models = MODELS.map((model) => ({
    name: model.name,
    model: model.name,
    modified_at: MODIFIED_AT,
    size: 1,
    digest: digest(model),
    details: { ...details(), context_length: CONTEXT_LENGTH },
    capabilities: capabilities(model),
  }));
  return { models };
}

export function show(model: Model): JsonObject {
  return {
    license: 'MIT. This is a simulator: no language model runs behind this name.',
    modelfile: `# Switchboard's Ollama simulator\nFROM ${model.name}\n`,
    template: '{{ .Prompt }}',
    details: details(),
    model_info: {
      'general.architecture': 'simulator',
      'general.basename': model.name.split(':')[0],
      'simulator.context_length': CONTEXT_LENGTH,
    },
    capabilities: capabilities(model),
    modified_at: MODIFIED_AT,
  };
}

export function openAiModel(model: Model): JsonObject {
  const created = Date.parse(MODIFIED_AT) / 1000;
  return { id: model.name, object: 'model', created, owned_by: 'library' };
}

/** Options that Ollama can only change by loading the model again. */
const RUNNER_OPTIONS = ['num_ctx', 'num_batch', 'num_gpu', 'main_gpu', 'use_mmap', 'num_thread', 'draft_num_predict'];

interface Loaded {
  readonly model: Model;
  readonly runner: string;
  readonly contextLength: number;
  expiresAtMs: number;
  users: number;
}

export class LoadedModels {
  readonly #loaded = new Map<string, Loaded>();

  /** Marks the model as in use; true when it had to be loaded for that. */
  use(model: Model, options: JsonObject): boolean {
    this.#expire();
    const runner = JSON.stringify(RUNNER_OPTIONS.map((name) => options[name] ?? null));
    const known = this.#loaded.get(model.name);
    if (known !== undefined && known.runner === runner) {
      known.users += 1;
      return false;
    }
    const asked = options['num_ctx'];
    const contextLength = typeof asked === 'number' && asked > 0 ? asked : CONTEXT_LENGTH;
    const users = (known?.users ?? 0) + 1;
    this.#loaded.set(model.name, { model, runner, contextLength, users, expiresAtMs: Infinity });
    return true;
  }

  /** The use has ended: the time to live counts from now. */
  leave(model: Model, keepAliveMs: number): void {
    const loaded = this.#loaded.get(model.name);
    if (loaded === undefined) return;
    loaded.users -= 1;
    loaded.expiresAtMs = Date.now() + keepAliveMs;
  }

  unload(model: Model): void {
    this.#loaded.delete(model.name);
  }

  /** `/api/ps`, the longest to live first. */
  list(): JsonObject {
    this.#expire();
    const loaded = [...this.#loaded.values()].sort((a, b) => b.expiresAtMs - a.expiresAtMs);
    const models = loaded.map(({ model, expiresAtMs, contextLength }) => ({
      name: model.name,
      model: model.name,
      size: 1,
      digest: digest(model),
      details: details(),
      expires_at: new Date(Math.min(expiresAtMs, Date.now() + FOREVER_MS)).toISOString(),
      size_vram: 1,
      context_length: contextLength,
    }));
    return { models };
  }

  #expire(): void {
    const nowMs = Date.now();
    for (const [name, loaded] of this.#loaded) {
      if (loaded.users <= 0 && loaded.expiresAtMs <= nowMs) this.#loaded.delete(name);
    }
  }
}

export const DEFAULT_KEEP_ALIVE_MS = 5 * 60_000;
/** Go's longest duration, 2^63 nanoseconds: how Ollama says "for ever". */
export const FOREVER_MS = 9_223_372_036_854;

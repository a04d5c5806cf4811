import { describe, expect, it } from 'vitest';
import { configuredBots, refOf, settingsFor } from '../../src/bots/definition.ts';
import { createBotDirectory, modelAvailable } from '../../src/bots/directory.ts';
import { modelBots } from '../../src/bots/model-bots.ts';
import { BOT_ID_PATTERN } from '../../src/protocol/ids.ts';
import { parseConfig } from '../../src/env.ts';
import type { ModelInfo } from '../../src/responders/discovery.ts';
import { TurnFailure } from '../../src/responders/port.ts';

const SESSION_SECRET = 'a-secret-of-at-least-32-characters!!';
const BOTS = JSON.stringify([
  { id: 'poet', name: 'Poet', model: 'poems:7b', systemPrompt: 'Rhyme.', options: { temperature: 1 }, think: 'low' },
  { id: 'plain', name: 'Plain' },
  { id: 'other', name: 'Other', kind: 'openai', endpoint: 'http://127.0.0.1:9999/', model: 'm' },
]);
const config = parseConfig({ SESSION_SECRET, BOTS, SYSTEM_PROMPT: 'Be brief.', IDLE_TIMEOUT_MS: '1234' });
const models = (...names: string[]): ModelInfo[] => names.map((model) => ({ model, capabilities: ['completion'] }));

describe('configured bots', () => {
  it('begin with the default one', () => {
    expect(configuredBots(config).map(({ id }) => id)).toEqual(['default', 'poet', 'plain', 'other']);
  });

  it('may redefine the default one', () => {
    const own = parseConfig({ SESSION_SECRET, BOTS: '[{"id":"default","name":"House","model":"own"}]' });
    expect(configuredBots(own).map(refOf)).toEqual([{ id: 'default', name: 'House', model: 'own' }]);
  });
});

describe('settingsFor', () => {
  it('reads a configured bot by its id, whatever model the session remembers', () => {
    const { settings, systemPrompt } = settingsFor({ id: 'poet', name: 'Poet', model: 'old:1b' }, config);
    expect(systemPrompt).toBe('Rhyme.');
    expect(settings).toMatchObject({ kind: 'ollama', model: 'poems:7b', options: { temperature: 1 }, think: 'low' });
    expect(settings.deadlines.idleTimeoutMs).toBe(1234);
  });

  it('fills what a bot leaves out from the defaults', () => {
    const { settings, systemPrompt } = settingsFor({ id: 'plain', name: '', model: '' }, config);
    expect(systemPrompt).toBe('Be brief.');
    expect(settings).toMatchObject({ baseUrl: 'http://127.0.0.1:11434', model: 'llama3.2', think: null });
  });

  it("answers as any other bot with the session's own model at the default endpoint", () => {
    const { settings } = settingsFor({ id: 'qwen3-8b', name: 'qwen3:8b', model: 'qwen3:8b' }, config);
    expect(settings).toMatchObject({ kind: 'ollama', baseUrl: 'http://127.0.0.1:11434', model: 'qwen3:8b' });
  });
});

describe('bots of models', () => {
  const ids = (list: ModelInfo[], taken: string[] = []) =>
    new Map(modelBots(list, config, new Set(taken)).map((bot) => [bot.settings.model, bot.id]));

  it('have ids that read like their models', () => {
    expect(ids(models('llama3.2:3b')).get('llama3.2:3b')).toBe('llama3-2-3b');
    expect(ids(models('hf.co/Org/Model-GGUF:Q4_K_M')).get('hf.co/Org/Model-GGUF:Q4_K_M')).toBe(
      'hf-co-org-model-gguf-q4-k-m',
    );
  });

  it('have ids that fit the pattern, however odd the name', () => {
    const odd = ['模型', 'x', '...', 'a'.repeat(200), '-lead', `${'b'.repeat(47)}-${'c'.repeat(9)}`];
    for (const id of ids(models(...odd)).values()) expect(id).toMatch(BOT_ID_PATTERN);
    expect(new Set(ids(models(...odd)).values()).size).toBe(odd.length);
  });

  it('keep their ids in whichever order the endpoint lists them', () => {
    const forward = ids(models('a.b:1', 'a-b:1', 'a_b:1'));
    const backward = ids(models('a_b:1', 'a-b:1', 'a.b:1'));
    expect(new Set(forward.values()).size).toBe(3);
    for (const [model, id] of forward) expect(backward.get(model)).toBe(id);
    expect(forward.get('a-b:1')).toBe('a-b-1');
  });

  it('leave configured ids to their owners', () => {
    expect(ids(models('poet'), ['poet']).get('poet')).toMatch(/^poet-[0-9a-f]{8}$/);
  });

  it('are not made of models that cannot chat', () => {
    const list: ModelInfo[] = [
      { model: 'embedder', capabilities: ['embedding'] },
      { model: 'silent', capabilities: [] },
    ];
    expect([...ids(list).keys()]).toEqual(['silent']);
  });
});

describe('the directory', () => {
  const MADE = { id: 'made', name: 'Made', model: 'own' };

  function directory(listModels: () => Promise<ModelInfo[]>) {
    const clock = { now: 1_000_000, calls: 0 };
    const bots = createBotDirectory(config, {
      listModels: (endpoint) => {
        clock.calls += 1;
        expect(endpoint).toEqual({ kind: 'ollama', baseUrl: 'http://127.0.0.1:11434', apiKey: null });
        return listModels();
      },
      stored: (id) => (id === 'made' ? Promise.resolve(MADE) : Promise.resolve(null)),
      now: () => clock.now,
    });
    return { bots, clock };
  }
  const down = () => Promise.reject(new TurnFailure('endpoint_unreachable', 'The endpoint could not be reached.'));

  it('lists configured bots, then models, and asks again after 10 s', async () => {
    const { bots, clock } = directory(() => Promise.resolve(models('llama3.2:3b')));
    const listed = await bots.list();
    expect(listed.bots.map(({ id }) => id)).toEqual(['default', 'poet', 'plain', 'other', 'llama3-2-3b']);
    clock.now += 9_999;
    await bots.list();
    expect(clock.calls).toBe(1);
    clock.now += 1;
    await bots.list();
    expect(clock.calls).toBe(2);
  });

  it('has only the configured bots while the endpoint is down, says so, and looks again after 2 s', async () => {
    const { bots, clock } = directory(down);
    const listed = await bots.list();
    expect(listed.bots.map(({ id }) => id)).toEqual(['default', 'poet', 'plain', 'other']);
    expect(listed.endpoint).toEqual({ reachable: false, error: 'The endpoint could not be reached.' });
    clock.now += 2_000;
    await bots.list();
    expect(clock.calls).toBe(2);
  });

  it("does not pass on the runtime's own words, which may name addresses", async () => {
    const { bots } = directory(() => Promise.reject(new TypeError('connect ECONNREFUSED 10.1.2.3:11434')));
    expect(JSON.stringify((await bots.list()).endpoint)).not.toContain('10.1.2.3');
  });

  it('finds configured bots without asking the endpoint', async () => {
    const { bots, clock } = directory(down);
    expect(await bots.find('default')).toMatchObject({ ok: true, value: { id: 'default' } });
    expect(clock.calls).toBe(0);
  });

  it('finds what operators made without asking the endpoint', async () => {
    const { bots, clock } = directory(down);
    expect(await bots.find('made')).toEqual({ ok: true, value: MADE });
    expect(clock.calls).toBe(0);
  });

  it('tells an unknown bot from one that cannot be asked for', async () => {
    const up = directory(() => Promise.resolve(models('llama3.2:3b'))).bots;
    expect(await up.find('llama3-2-3b')).toMatchObject({ ok: true, value: { model: 'llama3.2:3b' } });
    expect(await up.find('nobody')).toMatchObject({ ok: false, error: { code: 'bot_not_found', retryable: false } });
    const offline = directory(down).bots;
    expect(await offline.find('nobody')).toMatchObject({ ok: false, error: { code: 'unavailable', retryable: true } });
  });

  it('knows whether a model is there, where that can be known', () => {
    const [standard, , , openai] = configuredBots(config);
    if (!standard || !openai) throw new Error('missing bots');
    const has = (...names: string[]) => ({ reachable: true as const, models: names });
    expect(modelAvailable(standard.settings, config, has('llama3.2:latest'))).toBe(true);
    expect(modelAvailable(standard.settings, config, has('llama3.2'))).toBe(true);
    expect(modelAvailable(standard.settings, config, has('llama3.2:1b'))).toBe(false);
    expect(modelAvailable(standard.settings, config, { reachable: false, error: 'down' })).toBeNull();
    expect(modelAvailable(openai.settings, config, has('m'))).toBeNull();
  });
});

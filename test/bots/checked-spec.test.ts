import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { checkedSpec, patchedSpec } from '../../src/bots/checked-spec.ts';
import { allowedEndpoint, configuredKey } from '../../src/bots/endpoints.ts';
import type { BotSpec } from '../../src/bots/spec.ts';
import { parseConfig } from '../../src/env.ts';

const variables = {
  SESSION_SECRET: 'a-secret-of-at-least-32-characters!!',
  OLLAMA_BASE_URL: 'http://127.0.0.1:11434',
  ALLOWED_ENDPOINTS: 'http://10.0.0.1:9000,https://models.example/base,http://localhost:8000',
  OLLAMA_API_KEY: 'default-key',
  CLOUD_API_KEY: 'cloud-key',
  OTHER_API_KEY: 'other-key',
  BOTS: JSON.stringify([
    {
      id: 'cloud',
      name: 'C',
      kind: 'openai',
      model: 'm',
      endpoint: 'https://cloud.example',
      apiKeyVariable: 'CLOUD_API_KEY',
    },
  ]),
};
const config = parseConfig(variables);
const base = { id: 'my-bot', name: 'Mine' };
const problem = (fields: Record<string, unknown>): string => {
  const result = checkedSpec({ ...base, ...fields }, config);
  return result.ok ? 'fine' : result.error.message;
};

describe('B28: what is wrong with a definition is said by field', () => {
  const wrong: [string, unknown[]][] = [
    ['id', [undefined, 1, '', 'x', 'Upper', '-lead', 'a'.repeat(49), 'has space', 'ümlaut', '__proto__', 'a/b', 'a\n']],
    ['name', [undefined, '', 7, null, 'x'.repeat(101), 'two\nlines', '\u0000', 'half \ud800']],
    // Nobody could see it, and what stands beside it would be read backwards.
    ['name', [' ', '\u00a0\u200b', 'Help\u202e', '\u2066Help']],
    ['kind', ['gpt', 1, null]],
    ['model', ['', ' ', 5, 'x'.repeat(201), 'a\u0007b']],
    ['endpoint', [1, '', 'not a url', 'ftp://10.0.0.1:9000', 'http://10.0.0.1:9000/?a=b', 'http://10.0.0.1:9000/#x']],
    ['apiKeyVariable', ['PATH', 'x_api_key', '_API_KEY ', 5, `${'A'.repeat(200)}_API_KEY`]],
    ['systemPrompt', [5, 'x'.repeat(32 * 1024 + 1), 'half \udc00']],
    ['options', [5, [], 'x', null, Object.fromEntries(Array.from({ length: 65 }, (_, n) => [`o${n}`, n]))]],
    ['options.a', [{ a: {} }, { a: [[1]] }, { a: null }, { a: 'x'.repeat(1_001) }].map((options) => ({ options }))],
    ['think', ['yes', 1, {}]],
    ['keepAlive', ['soon', '10 m', {}, 86_401, '1'.repeat(20)]],
    ['deadlines', [5, 'x']],
    ['deadlines.idleTimeoutMs', [0, 1.5, '5', 3_600_001].map((idleTimeoutMs) => ({ deadlines: { idleTimeoutMs } }))],
    ['deadlines.other', [{ deadlines: { other: 1 } }]],
    ['concurrency', [0, -1, 1.5, '2', 1_001, Number.NaN]],
    ['queueLength', [-1, 10_001, '5']],
    ['queueTimeoutMs', [999, 86_400_001]],
    ['graceMs', [-1, 600_001]],
    ['turnsPerMinute', [0, 1e10]],
    ['tokensPerDay', [0, 0.5]],
    ['tools.0', [{ tools: ['shell'] }]],
    ['tools', [5, 'x']],
    ['retentionDays', [0, 3_651, '7']],
    ['unknown', [1]],
  ];

  it.each(wrong)('%s', (field, values) => {
    for (const value of values) {
      const isWhole = field.includes('.') && typeof value === 'object' && value !== null;
      const fields = isWhole ? { ...value } : { [field]: value };
      expect(problem(fields), JSON.stringify(value)?.slice(0, 60)).toContain(`"${field}" `);
    }
  });

  it('and never quoted', () => {
    const canary = 'canary-5f1c';
    for (const name of [
      'id',
      'name',
      'kind',
      'model',
      'endpoint',
      'apiKeyVariable',
      'think',
      'keepAlive',
      'options',
      'concurrency',
      canary,
    ]) {
      for (const value of [`${canary}\n`, { [canary]: canary }, [canary]]) {
        const said = problem({ [name]: value });
        if (said !== 'fine') expect(said.replace(`"${canary}" is not a known field.`, '')).not.toContain(canary);
      }
    }
  });

  it('whatever comes: an answer, never an exception', () => {
    fc.assert(
      fc.property(fc.anything(), fc.string(), (value, name) => {
        expect(typeof checkedSpec(value, config).ok).toBe('boolean');
        expect(typeof checkedSpec({ ...base, [name]: value }, config).ok).toBe('boolean');
      }),
    );
  });

  it('of a kind that needs more is said, too', () => {
    expect(problem({ kind: 'openai', model: 'm' })).toContain('"endpoint" is missing');
    expect(problem({ kind: 'openai', endpoint: 'https://cloud.example' })).toContain('"model" is missing');
    expect(problem({ kind: 'workers-ai' })).toContain('"model" is missing');
  });
});

it('takes what is right, as it is', () => {
  const fields = {
    ...base,
    kind: 'ollama',
    model: 'llama3.2',
    endpoint: 'http://10.0.0.1:9000',
    systemPrompt: 'Zwölf Boxkämpfer 🥊',
    options: { num_ctx: 8192, stop: ['a', 'b'], temperature: 0.5, use_mmap: true },
    think: 'high',
    keepAlive: '10m',
    deadlines: { idleTimeoutMs: 5_000 },
    concurrency: 2,
    queueLength: 0,
    queueTimeoutMs: 60_000,
    graceMs: 0,
    turnsPerMinute: 10,
    tokensPerDay: 100_000,
    tools: [],
    retentionDays: 30,
  };
  expect(checkedSpec(fields, config)).toEqual({ ok: true, value: fields });
  for (const keepAlive of [-1, 0, 300, '-1m', '1h30m', '1.5h']) expect(problem({ keepAlive })).toBe('fine');
});

it('leaves out __proto__ instead of following it', () => {
  const fields: unknown = JSON.parse('{"id":"ab","name":"x","options":{"__proto__":{"polluted":1},"num_ctx":1}}');
  const result = checkedSpec(fields, config);
  expect(result.ok && Reflect.get(result.value.options, 'polluted')).toBeUndefined();
});

describe('B25: endpoints', () => {
  const same = 'http://10.0.0.1:9000';
  // Other ways to write what is allowed: taken, and stored as what they mean.
  it.each([
    'http://10.0.0.1:9000/',
    'http://10.0.0.1:9000///',
    'HTTP://10.0.0.1:9000',
    'http://167772161:9000',
    'http://0x0a000001:9000',
    'http://0xa.0.0.1:9000',
    'http://012.0.0.1:9000',
    'http://10.1:9000',
    'http://%31%30.0.0.1:9000',
    'http://10.0.0.1.:9000',
    'http://10.0.0.1:09000',
  ])('%s is the allowed one', (endpoint) => {
    expect(allowedEndpoint(endpoint, config)).toBe(same);
    const result = checkedSpec({ ...base, endpoint }, config);
    expect(result.ok && result.value.endpoint).toBe(same);
  });

  it.each([
    'http://10.0.0.2:9000',
    'http://10.0.0.1',
    'http://10.0.0.1:9001',
    'https://10.0.0.1:9000',
    'http://[::ffff:10.0.0.1]:9000',
    'http://[::ffff:a00:1]:9000',
    'http://user@10.0.0.1:9000',
    'http://user:pass@10.0.0.1:9000',
    'http://10.0.0.1:9000@evil.example',
    'http://10.0.0.1:9000#@evil.example',
    'http://evil.example#http://10.0.0.1:9000',
    'http://evil.example?http://10.0.0.1:9000',
    'http://evil.example\\@10.0.0.1:9000',
    'http://10.0.0.1:9000\\@evil.example',
    'http://10.0.0.1:9000/other',
    'http://10.0.0.1:9000/%2e%2e/other',
    'http://10.0.0.1.evil.example:9000',
    'http://10.0.0.1%00.evil.example:9000',
    'http://169.254.169.254',
    'http://2852039166',
    'http://localhost.:8000',
    'http://localhost:8000.',
    'http://LOCALHOST.localdomain:8000',
    'https://models.example',
    'https://models.example/base/more',
    'https://models.example/base/../other',
    'https://models.example/%62ase',
    'https://models.example:8443/base',
    'file:///etc/passwd',
    'javascript:alert(1)',
    '//10.0.0.1:9000',
    '\thttp://10.0.0.1:9000',
    'http://10.0.0.1:9000\n',
  ])('%s is not', (endpoint) => {
    expect(problem({ endpoint })).toContain('"endpoint" ');
  });

  it('that configuration uses itself are allowed', () => {
    for (const endpoint of ['http://127.0.0.1:11434', 'https://cloud.example/', 'https://MODELS.example/base/']) {
      expect(problem({ endpoint })).toBe('fine');
    }
  });

  it('whatever is written: what is taken is on the list', () => {
    const allowed = new Set(config.allowedEndpoints);
    const part = fc.constantFrom(
      'http://',
      'https:',
      '//',
      '10.0.0.1',
      ':9000',
      '@',
      'evil.example',
      '/',
      '#',
      '?',
      '\\',
      '%2f',
      '.',
      '0x0a000001',
      '[::1]',
    );
    fc.assert(
      fc.property(fc.array(part, { maxLength: 8 }), (parts) => {
        const result = checkedSpec({ ...base, endpoint: parts.join('') }, config);
        if (result.ok) expect(allowed).toContain(result.value.endpoint);
      }),
      { numRuns: 2_000 },
    );
  });
});

describe('B26: keys', () => {
  const spec = (fields: Partial<BotSpec>): BotSpec => ({ ...base, kind: 'ollama', options: {}, ...fields });

  it('go where configuration sends them, nowhere else', () => {
    const cloud = { kind: 'openai', model: 'm', endpoint: 'https://cloud.example' } as const;
    expect(problem({ ...cloud, apiKeyVariable: 'CLOUD_API_KEY' })).toBe('fine');
    expect(problem({ ...cloud, endpoint: 'http://10.0.0.1:9000', apiKeyVariable: 'CLOUD_API_KEY' })).toContain(
      '"apiKeyVariable" ',
    );
    expect(problem({ apiKeyVariable: 'CLOUD_API_KEY' })).toContain('"apiKeyVariable" ');
    // Set, but no configured bot uses it.
    expect(problem({ ...cloud, apiKeyVariable: 'OTHER_API_KEY' })).toContain('"apiKeyVariable" ');
    expect(problem({ ...cloud, apiKeyVariable: 'UNSET_API_KEY' })).toContain('"apiKeyVariable" ');
    expect(problem({ apiKeyVariable: 'OLLAMA_API_KEY' })).toBe('fine');
    expect(problem({ endpoint: 'http://10.0.0.1:9000', apiKeyVariable: 'OLLAMA_API_KEY' })).toContain(
      '"apiKeyVariable" ',
    );
  });

  it("of the default endpoint are not sent to another's", () => {
    expect(configuredKey(spec({}), config)).toBe('default-key');
    expect(configuredKey(spec({ endpoint: 'http://10.0.0.1:9000' }), config)).toBeNull();
    expect(configuredKey(spec({ endpoint: 'https://cloud.example' }), config)).toBeNull();
    expect(configuredKey(spec({ endpoint: 'https://cloud.example', apiKeyVariable: 'CLOUD_API_KEY' }), config)).toBe(
      'cloud-key',
    );
  });
});

describe('a change', () => {
  const current: BotSpec = { ...base, kind: 'ollama', options: { num_ctx: 1 }, concurrency: 2 };

  it('sets fields, and null takes one back to its default', () => {
    const result = patchedSpec(current, { name: 'New', concurrency: null, options: null }, config);
    expect(result).toEqual({ ok: true, value: { ...base, name: 'New', kind: 'ollama', options: {} } });
  });

  it('takes back nothing that there is not: a slip of the hand would leave a limit in force', () => {
    for (const name of ['concurency', 'toString', '__proto__ ']) {
      const result = patchedSpec(current, { [name]: null }, config);
      expect(result.ok ? 'fine' : result.error.message).toMatch(/not a known field|unknown field/);
    }
  });

  it('cannot change the id, nor take away what a bot needs', () => {
    for (const patch of [{ id: 'other' }, { id: 'my-bot' }, { name: null }]) {
      expect(patchedSpec(current, patch, config).ok).toBe(false);
    }
  });
});

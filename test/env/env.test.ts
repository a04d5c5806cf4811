import { describe, expect, it } from 'vitest';
import { ConfigError, parseConfig, type Variables } from '../../src/env.ts';

const SECRET = 'a-secret-of-at-least-32-characters!!';

function parse(variables: Readonly<Record<string, unknown>>) {
  const env: Variables = { SESSION_SECRET: SECRET };
  return parseConfig(Object.assign(env, variables));
}

function problemOf(variables: Readonly<Record<string, unknown>>): ConfigError {
  try {
    parse(variables);
  } catch (error) {
    if (error instanceof ConfigError) return error;
    throw error;
  }
  throw new Error('expected a ConfigError');
}

const bot = (fields: object) => JSON.stringify([{ id: 'helper', name: 'Helper', ...fields }]);

describe('parseConfig', () => {
  it('needs nothing but a session secret', () => {
    expect(parse({})).toEqual({
      endpoint: { baseUrl: 'http://127.0.0.1:11434', apiKey: null },
      defaultModel: 'llama3.2',
      systemPrompt: '',
      deadlines: {
        connectTimeoutMs: 5_000,
        firstTokenTimeoutMs: 120_000,
        idleTimeoutMs: 60_000,
        totalTimeoutMs: 600_000,
      },
      allowedOrigins: [],
      allowedEndpoints: ['http://127.0.0.1:11434'],
      sessionSecret: SECRET,
      operatorToken: null,
      access: null,
      alertWebhook: null,
      bots: [],
      modelSource: 'ollama',
      localServer: false,
      logLevel: 'info',
    });
  });

  it('takes an empty variable for an absent one, and white space around a value for nothing', () => {
    const config = parse({ OLLAMA_API_KEY: '', ALLOWED_ORIGINS: ' ', OPERATOR_TOKEN: ' 0123456789abcdef\n' });
    expect(config.endpoint.apiKey).toBeNull();
    expect(config.allowedOrigins).toEqual([]);
    expect(config.operatorToken).toBe('0123456789abcdef');
  });

  it('refuses a webhook secret that receivers would read as another key', () => {
    const url = 'https://alerts.example/in';
    const problem = (secret: string) => problemOf({ ALERT_WEBHOOK_URL: url, ALERT_WEBHOOK_SECRET: secret }).message;
    expect(problem(`whsec_${'not base64 '.repeat(4)}`.trim())).toMatch('ALERT_WEBHOOK_SECRET');
    expect(problem(`whsec_${'_-'.repeat(20)}`)).toBe('ALERT_WEBHOOK_SECRET must be base64 after whsec_');
    const secret = `whsec_${'ab+/'.repeat(10)}`;
    expect(parse({ ALERT_WEBHOOK_URL: url, ALERT_WEBHOOK_SECRET: secret }).alertWebhook).toEqual({ url, secret });
  });

  it('takes a plain number for a deadline', () => {
    expect(parse({ IDLE_TIMEOUT_MS: 1_500 }).deadlines.idleTimeoutMs).toBe(1_500);
  });

  it('takes slashes off the end of an address', () => {
    expect(parse({ OLLAMA_BASE_URL: 'https://models.example/ollama//' }).endpoint.baseUrl).toBe(
      'https://models.example/ollama',
    );
  });

  it('reads a comma list of origins, each once', () => {
    const { allowedOrigins } = parse({ ALLOWED_ORIGINS: 'https://a.example, http://b.example:8080,https://a.example' });
    expect(allowedOrigins).toEqual(['https://a.example', 'http://b.example:8080']);
  });

  it('parses an env once, and fails the same way each time', () => {
    const env: Variables = { SESSION_SECRET: SECRET };
    expect(parseConfig(env)).toBe(parseConfig(env));
    const wrong: Variables = { SESSION_SECRET: SECRET, IDLE_TIMEOUT_MS: 'soon' };
    expect(() => parseConfig(wrong)).toThrow(ConfigError);
    expect(() => parseConfig(wrong)).toThrow(ConfigError);
  });

  it.each<[string, string, unknown]>([
    ['no URL', 'OLLAMA_BASE_URL', 'localhost'],
    ['a scheme that is not http(s)', 'OLLAMA_BASE_URL', 'ftp://host'],
    ['a host without a scheme', 'OLLAMA_BASE_URL', 'localhost:11434'],
    ['user and password', 'OLLAMA_BASE_URL', 'http://user:pass@host'],
    ['a query', 'OLLAMA_BASE_URL', 'http://host/?key=1'],
    ['an empty query', 'OLLAMA_BASE_URL', 'http://host/?'],
    ['a fragment', 'OLLAMA_BASE_URL', 'http://host/#x'],
    ['a wrong type', 'OLLAMA_BASE_URL', true],
    ['a key that fits in no header', 'OLLAMA_API_KEY', 'key\nwith: newline'],
    ['a model name too long', 'DEFAULT_MODEL', 'm'.repeat(201)],
    ['zero', 'CONNECT_TIMEOUT_MS', '0'],
    ['a negative deadline', 'FIRST_TOKEN_TIMEOUT_MS', '-5'],
    ['a fraction', 'IDLE_TIMEOUT_MS', '1.5'],
    ['another notation', 'IDLE_TIMEOUT_MS', '1e3'],
    ['a unit', 'TOTAL_TIMEOUT_MS', '10s'],
    ['a deadline beyond the maximum', 'CONNECT_TIMEOUT_MS', '300001'],
    ['a deadline beyond the maximum', 'FIRST_TOKEN_TIMEOUT_MS', '3600001'],
    ['a deadline beyond the maximum', 'IDLE_TIMEOUT_MS', '3600001'],
    ['a deadline beyond the maximum', 'TOTAL_TIMEOUT_MS', '21600001'],
    ['every origin', 'ALLOWED_ORIGINS', '*'],
    ['an origin with a path', 'ALLOWED_ORIGINS', 'https://a.example/'],
    ['an origin in capitals, which no browser sends', 'ALLOWED_ORIGINS', 'https://A.example'],
    ['an origin that is no web page', 'ALLOWED_ORIGINS', 'null'],
    ['no secret', 'SESSION_SECRET', undefined],
    ['an empty secret', 'SESSION_SECRET', ''],
    ['a short secret', 'SESSION_SECRET', 'x'.repeat(31)],
    ['a short token', 'OPERATOR_TOKEN', 'x'.repeat(15)],
    ['a token with a space', 'OPERATOR_TOKEN', 'sixteen letters and more'],
    ['an unknown source', 'MODEL_SOURCE', 'cloud'],
    ['an unknown log level', 'LOG_LEVEL', 'debug'],
    ['no JSON', 'BOTS', '[{'],
    ['no array', 'BOTS', '{}'],
    ['a bot without a name', 'BOTS', '[{"id":"helper"}]'],
    ['an id with capitals', 'BOTS', bot({ id: 'Helper' })],
    ['an id too short', 'BOTS', bot({ id: 'h' })],
    ['an unknown kind', 'BOTS', bot({ kind: 'mind' })],
    ['an unknown field', 'BOTS', bot({ temprature: 1 })],
    ['a wrong address', 'BOTS', bot({ endpoint: 'nowhere' })],
    ['a wrong think', 'BOTS', bot({ think: 'hard' })],
    ['options that are no object', 'BOTS', bot({ options: [] })],
    ['an openai bot without an address', 'BOTS', bot({ kind: 'openai', model: 'm' })],
    ['a Workers AI bot without a model', 'BOTS', bot({ kind: 'workers-ai' })],
    ['another secret as a key', 'BOTS', bot({ apiKeyVariable: 'SESSION_SECRET' })],
    ['the same id twice', 'BOTS', '[{"id":"aa","name":"A"},{"id":"aa","name":"B"}]'],
  ])('stops with one line naming the variable: %s in %s', (_, variable, value) => {
    const error = problemOf({ [variable]: value });
    expect(error.variable).toBe(variable);
    expect(error.message).toMatch(new RegExp(`^${variable} .+$`));
    expect(error.message).not.toContain('\n');
  });

  it('says which bot and which field is wrong', () => {
    const list = JSON.stringify([
      { id: 'aa', name: 'A' },
      { id: 'bb', name: 'B', keepAlive: {} },
    ]);
    expect(problemOf({ BOTS: list }).message).toContain('[1].keepAlive');
  });

  it('speaks its own words, never those of the schema library', () => {
    expect(problemOf({ SYSTEM_PROMPT: true }).message).toBe('SYSTEM_PROMPT has a wrong value');
  });

  it('never repeats a secret', () => {
    const short = 'hunter2-hunter2';
    for (const variable of ['SESSION_SECRET', 'OPERATOR_TOKEN']) {
      expect(problemOf({ [variable]: short }).message).not.toContain('hunter2');
    }
    expect(problemOf({ OLLAMA_API_KEY: 'hunter2 hunter2' }).message).not.toContain('hunter2');
  });
});

describe('keys of bots', () => {
  const keyOf = (fields: object, variables: object = {}) =>
    parse({ OLLAMA_API_KEY: 'default-key', OLLAMA_BASE_URL: 'https://models.example', BOTS: bot(fields), ...variables })
      .bots[0]?.apiKey;

  it("are the default endpoint's on its own host", () => {
    expect(keyOf({})).toBe('default-key');
    expect(keyOf({ endpoint: 'https://models.example/other' })).toBe('default-key');
  });

  it("are never the default endpoint's on another host", () => {
    expect(keyOf({ endpoint: 'https://elsewhere.example' })).toBeNull();
    expect(keyOf({ endpoint: 'http://models.example' })).toBeNull();
  });

  it('come from the secret that the bot names', () => {
    const fields = { endpoint: 'https://elsewhere.example', apiKeyVariable: 'OTHER_API_KEY' };
    expect(keyOf(fields, { OTHER_API_KEY: 'other-key' })).toBe('other-key');
  });

  it('name the secret that is missing', () => {
    expect(problemOf({ BOTS: bot({ apiKeyVariable: 'OTHER_API_KEY' }) }).variable).toBe('OTHER_API_KEY');
  });
});

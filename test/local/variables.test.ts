import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ConfigError, parseConfig } from '../../src/env.ts';
import { addSecrets, readVariables, type Values } from '../../src/local/variables.ts';
import { wranglerVariables } from '../../src/local/wrangler-variables.ts';

const SECRET = 'a-secret-of-at-least-32-characters!!';
let folder: string;
let devVars: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'switchboard-variables-'));
  devVars = join(folder, '.dev.vars');
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function read(places: { toml?: Values; file?: string; environment?: NodeJS.ProcessEnv }) {
  const { toml = {}, file, environment = {} } = places;
  if (file !== undefined) writeFileSync(devVars, file);
  return readVariables({ wranglerToml: toml, devVars, environment });
}

const BOTS =
  '[{"id":"cloud","name":"Cloud","kind":"openai","endpoint":"https://a.example","model":"m","apiKeyVariable":"CLOUD_API_KEY"}]';

describe('readVariables', () => {
  it('takes the environment before .dev.vars before wrangler.toml', () => {
    const toml = { OLLAMA_BASE_URL: 'http://toml', DEFAULT_MODEL: 'toml', SYSTEM_PROMPT: 'toml' };
    const file = 'DEFAULT_MODEL=file\nOLLAMA_BASE_URL=http://file\nEXTRA=file\n';
    const { values, places } = read({ toml, file, environment: { OLLAMA_BASE_URL: 'http://environment' } });
    expect(values).toEqual({
      OLLAMA_BASE_URL: 'http://environment',
      DEFAULT_MODEL: 'file',
      SYSTEM_PROMPT: 'toml',
      EXTRA: 'file',
    });
    expect(Object.fromEntries(places)).toEqual({
      OLLAMA_BASE_URL: 'environment',
      DEFAULT_MODEL: '.dev.vars',
      SYSTEM_PROMPT: 'wrangler.toml',
      EXTRA: '.dev.vars',
    });
  });

  it('lets an empty value take a setting back, and counts it as set nowhere', () => {
    const { values, places } = read({ toml: { SYSTEM_PROMPT: 'Be brief.' }, environment: { SYSTEM_PROMPT: '' } });
    expect(parseConfig({ ...values, SESSION_SECRET: SECRET }).systemPrompt).toBe('');
    expect(places.has('SYSTEM_PROMPT')).toBe(false);
  });

  it.each([
    ['the environment', { environment: { TOTAL_TIMEOUT_MS: '1 h' } }],
    ['.dev.vars', { file: 'TOTAL_TIMEOUT_MS=1 h\n' }],
    ['wrangler.toml', { toml: { TOTAL_TIMEOUT_MS: '1 h' } }],
    ['wrangler.toml, as another type', { toml: { TOTAL_TIMEOUT_MS: true } }],
  ])('a wrong value in %s is named', (_, places) => {
    const { values } = read({ environment: {}, ...places });
    const parse = () => parseConfig({ SESSION_SECRET: SECRET, ...values });
    expect(parse).toThrow(ConfigError);
    expect(parse).toThrow(/^TOTAL_TIMEOUT_MS /);
  });

  it('a wrong value behind a right one does no harm', () => {
    const places = { toml: { IDLE_TIMEOUT_MS: 'soon' }, file: 'IDLE_TIMEOUT_MS=later\n' };
    const { values } = read({ ...places, environment: { IDLE_TIMEOUT_MS: '7' } });
    expect(parseConfig({ ...values, SESSION_SECRET: SECRET }).deadlines.idleTimeoutMs).toBe(7);
  });

  it.each([
    ['the environment', { environment: { BOTS, CLOUD_API_KEY: 'sesame', OTHER_API_KEY: 'x', HOME: '/' } }],
    ['.dev.vars', { file: `BOTS='${BOTS}'\n`, environment: { CLOUD_API_KEY: 'sesame', OTHER_API_KEY: 'x' } }],
    ['wrangler.toml', { toml: { BOTS }, environment: { CLOUD_API_KEY: 'sesame', OTHER_API_KEY: 'x' } }],
  ])('takes the keys that BOTS in %s mentions from the environment, and no others', (_, places) => {
    const { values } = read(places);
    expect(parseConfig({ ...values, SESSION_SECRET: SECRET }).bots[0]?.apiKey).toBe('sesame');
    expect(Object.keys(values).toSorted()).toEqual(['BOTS', 'CLOUD_API_KEY']);
  });

  it('takes nothing else for a key: BOTS that asks for another variable is refused', () => {
    const { values } = read({ environment: { BOTS: BOTS.replace('CLOUD_API_KEY', 'PATH'), PATH: '/bin' } });
    expect(values).not.toHaveProperty('PATH');
    expect(() => parseConfig({ ...values, SESSION_SECRET: SECRET })).toThrow(/^BOTS \[0\]\.apiKeyVariable /);
  });
});

describe('addSecrets', () => {
  const mode = () => statSync(devVars).mode & 0o777;

  it('makes them once, for their owner only', () => {
    const made = addSecrets(read({}), devVars).values;
    expect(mode()).toBe(0o600);
    expect(parseConfig(made)).toMatchObject({
      sessionSecret: made['SESSION_SECRET'],
      operatorToken: made['OPERATOR_TOKEN'],
    });
    expect(made['SESSION_SECRET']).not.toBe(made['OPERATOR_TOKEN']);
    const text = readFileSync(devVars, 'utf8');
    expect(addSecrets(read({}), devVars).values).toEqual(made);
    expect(readFileSync(devVars, 'utf8')).toBe(text);
  });

  it('adds what is missing to a file that others could read, and keeps what is there', () => {
    const file = `# mine\nSESSION_SECRET=${SECRET}\nOPERATOR_TOKEN=`;
    const { values, places } = addSecrets(read({ file }), devVars);
    expect(mode()).toBe(0o600);
    const added = readFileSync(devVars, 'utf8').replace(`${file}\n`, '');
    expect(added).toMatch(/^OPERATOR_TOKEN=[\w-]{43}\n$/);
    expect(values['SESSION_SECRET']).toBe(SECRET);
    expect(places.get('OPERATOR_TOKEN')).toBe('.dev.vars');
    expect(addSecrets(read({}), devVars).values).toEqual(values);
  });

  it('an empty secret in the environment does not hide the one in the file', () => {
    const file = `SESSION_SECRET=${SECRET}\nOPERATOR_TOKEN=0123456789abcdef\n`;
    const { values } = addSecrets(read({ file, environment: { SESSION_SECRET: '', OPERATOR_TOKEN: ' ' } }), devVars);
    expect(values).toMatchObject({ SESSION_SECRET: SECRET, OPERATOR_TOKEN: '0123456789abcdef' });
    expect(readFileSync(devVars, 'utf8')).toBe(file);
  });

  it('writes no file when the environment has both', () => {
    const environment = { SESSION_SECRET: SECRET, OPERATOR_TOKEN: '0123456789abcdef' };
    addSecrets(read({ environment }), devVars);
    expect(() => statSync(devVars)).toThrow(/ENOENT/);
  });
});

it('wrangler.toml as it comes says what a Worker without variables does, besides the prompt', () => {
  const { systemPrompt, ...shipped } = parseConfig({ ...wranglerVariables(), SESSION_SECRET: SECRET });
  expect(systemPrompt).not.toBe('');
  expect({ ...shipped, systemPrompt: '' }).toEqual(parseConfig({ SESSION_SECRET: SECRET }));
});

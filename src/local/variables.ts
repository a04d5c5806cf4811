/**
 * The variables of a local server. The environment goes before `.dev.vars`, which goes before
 * wrangler.toml. Secrets have no defaults: missing ones are made here, once, and kept in `.dev.vars`.
 */
import { randomBytes } from 'node:crypto';
import { appendFileSync, chmodSync, existsSync, readFileSync } from 'node:fs';
import { parseEnv } from 'node:util';
import type { Json } from 'miniflare';
import { apiKeyVariables, type Variables } from '../env.ts';

const MADE_SECRETS: readonly string[] = ['SESSION_SECRET', 'OPERATOR_TOKEN'] satisfies (keyof Variables)[];
const SECRET_FILE_MODE = 0o600;
const SECRET_BYTES = 32;
const HEADING = '# Local secrets, made by `npm start`. Never commit this file.\n';
/** Names that a local server takes from the environment, besides the keys that BOTS mentions. */
const FROM_ENVIRONMENT = [
  'OLLAMA_BASE_URL',
  'OLLAMA_API_KEY',
  'DEFAULT_MODEL',
  'CONNECT_TIMEOUT_MS',
  'FIRST_TOKEN_TIMEOUT_MS',
  'IDLE_TIMEOUT_MS',
  'TOTAL_TIMEOUT_MS',
  'ALLOWED_ORIGINS',
  'ALLOWED_ENDPOINTS',
  'SESSION_SECRET',
  'OPERATOR_TOKEN',
  'ACCESS_TEAM_DOMAIN',
  'ACCESS_AUD',
  'OPERATOR_GROUP',
  'ALERT_WEBHOOK_URL',
  'ALERT_WEBHOOK_SECRET',
  'SYSTEM_PROMPT',
  'BOTS',
  'LOG_LEVEL',
] as const satisfies readonly (keyof Variables)[];

/** wrangler.toml may hold numbers and tables; what they are worth is for `parseConfig` to say. */
export type Values = Record<string, Json>;

export type Place = 'wrangler.toml' | '.dev.vars' | 'environment';

export interface Places {
  wranglerToml: Values;
  /** The path of the file, which need not be there. */
  devVars: string;
  environment: NodeJS.ProcessEnv;
}

export interface LocalVariables {
  values: Values;
  /** Where each variable that is not empty comes from. */
  places: ReadonlyMap<string, Place>;
}

/** All variables, each from the place that goes before the others. */
export function readVariables({ wranglerToml, devVars, environment }: Places): LocalVariables {
  const values: Values = {};
  const places = new Map<string, Place>();
  const take = (place: Place, name: string, value: Json | undefined): void => {
    if (value === undefined) return;
    const isEmpty = typeof value === 'string' && value.trim() === '';
    // An empty one takes a setting back, as it does for the Worker; a secret cannot be taken back.
    if (isEmpty && MADE_SECRETS.includes(name)) return;
    values[name] = value;
    if (isEmpty) places.delete(name);
    else places.set(name, place);
  };
  for (const [name, value] of Object.entries(wranglerToml)) take('wrangler.toml', name, value);
  for (const [name, value] of Object.entries(inFile(devVars))) take('.dev.vars', name, value);
  for (const name of FROM_ENVIRONMENT) take('environment', name, environment[name]);
  // Only keys, and only those: BOTS may have come with the file of somebody else.
  for (const name of apiKeyVariables(values)) take('environment', name, environment[name]);
  return { values, places };
}

function inFile(path: string): NodeJS.Dict<string> {
  return existsSync(path) ? parseEnv(readFileSync(path, 'utf8')) : {};
}

/** Makes the secrets that are missing and adds them to the file, which only its owner may read. */
export function addSecrets({ values, places }: LocalVariables, devVars: string): LocalVariables {
  const missing = MADE_SECRETS.filter((name) => !places.has(name));
  if (missing.length === 0) return { values, places };
  const made = missing.map((name) => [name, randomBytes(SECRET_BYTES).toString('base64url')] as const);
  const exists = existsSync(devVars);
  // Before the secrets are in it, not after.
  if (exists) chmodSync(devVars, SECRET_FILE_MODE);
  const before = exists ? readFileSync(devVars, 'utf8') : '';
  const lines = made.map(([name, value]) => `${name}=${value}\n`).join('');
  const separator = before === '' ? HEADING : before.endsWith('\n') ? '' : '\n';
  appendFileSync(devVars, separator + lines, { mode: SECRET_FILE_MODE });
  return {
    values: { ...values, ...Object.fromEntries(made) },
    places: new Map([...places, ...missing.map((name) => [name, '.dev.vars'] as const)]),
  };
}

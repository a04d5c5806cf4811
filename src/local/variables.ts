/**
 * The variables of a local server. The environment goes before `.dev.vars`, which goes before
 * wrangler.toml. Secrets have no defaults: missing ones are made here, once, and kept in `.dev.vars`.
 */
import { randomBytes } from 'node:crypto';
import { chmodSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { parseEnv } from 'node:util';
import type { Variables } from '../env.ts';

const MADE_SECRETS = ['SESSION_SECRET', 'OPERATOR_TOKEN'] as const;
/** Names that a local server takes from the environment; a wrangler.toml or `.dev.vars` may set more. */
const FROM_ENVIRONMENT = [
  'OLLAMA_BASE_URL',
  'OLLAMA_API_KEY',
  'DEFAULT_MODEL',
  'CONNECT_TIMEOUT_MS',
  'FIRST_TOKEN_TIMEOUT_MS',
  'IDLE_TIMEOUT_MS',
  'TOTAL_TIMEOUT_MS',
  'ALLOWED_ORIGINS',
  'SESSION_SECRET',
  'OPERATOR_TOKEN',
  'SYSTEM_PROMPT',
  'BOTS',
] as const satisfies readonly (keyof Variables)[];

/** Variables set by the person who starts the server: their environment, then the file. */
export function localVariables(devVarsPath: string, environment: NodeJS.ProcessEnv): Record<string, string> {
  const inFile = existsSync(devVarsPath) ? parseEnv(readFileSync(devVarsPath, 'utf8')) : {};
  const variables: Record<string, string> = {};
  for (const [name, value] of Object.entries(inFile)) if (value !== undefined) variables[name] = value;
  for (const name of FROM_ENVIRONMENT) {
    const value = environment[name];
    if (value !== undefined) variables[name] = value;
  }
  return variables;
}

/** Makes the secrets that are missing, adds them to the file, readable by its owner only, and returns all variables. */
export function withSecrets(variables: Record<string, string>, devVarsPath: string): Record<string, string> {
  const made = MADE_SECRETS.filter((name) => variables[name] === undefined).map((name) => {
    return [name, randomBytes(32).toString('base64url')] as const;
  });
  if (made.length === 0) return variables;
  const before = existsSync(devVarsPath)
    ? readFileSync(devVarsPath, 'utf8')
    : '# Local secrets, made by `npm start`. Never commit this file.\n';
  const lines = made.map(([name, value]) => `${name}=${value}\n`).join('');
  writeFileSync(devVarsPath, before.endsWith('\n') ? before + lines : `${before}\n${lines}`, { mode: 0o600 });
  chmodSync(devVarsPath, 0o600);
  return { ...variables, ...Object.fromEntries(made) };
}

/** Whether the server is there, and for operators whether what it leans on is. */
import { Hono } from 'hono';
import { configuredBots, define, type BotDefinition } from '../bots/definition.ts';
import { configuredKey, useProblem } from '../bots/endpoints.ts';
import { botSpec, type BotSpec } from '../bots/spec.ts';
import { describeError } from '../metrics/describe-error.ts';
import type { Endpoint } from '../responders/discovery.ts';
import { TurnFailure } from '../responders/port.ts';
import { requireOperator } from './access.ts';
import type { AppEnv, ServerDeps } from './deps.ts';

/** A check that takes longer has failed; whoever asks wants to know now. */
const CHECK_TIMEOUT_MS = 3_000;
/** An object that never is a session: it answers that it is none, which shows that objects answer. */
const PROBED_SESSION = 'health';
/** Bots that are looked through, and endpoints that are asked, by one call. */
const MAX_BOTS = 1_000;
const MAX_ENDPOINTS = 50;

interface Check {
  ok: boolean;
  ms: number;
  error?: string;
}

export function healthRoutes(deps: ServerDeps): Hono<AppEnv> {
  const app = new Hono<AppEnv>();

  // Leans on nothing: an outage elsewhere must not make a balancer take this away, too.
  app.get('/', (c) => c.json({ status: 'ok' }));

  app.get('/full', async (c) => {
    await requireOperator(c.req.raw, deps);
    const used = await endpointsOf(deps, c.var.requestId);
    const [database, objects, ...endpoints] = await Promise.all([
      check(deps, () => deps.history.ping()),
      check(deps, () => deps.session(PROBED_SESSION).describe(PROBED_SESSION)),
      ...used.map(async ({ bots, endpoint }) => ({
        kind: endpoint.kind,
        url: endpoint.baseUrl,
        bots,
        ...(await check(deps, (signal) => deps.probeEndpoint(endpoint, signal))),
      })),
    ]);
    const isWell = [database, objects, ...endpoints].every(({ ok }) => ok);
    return c.json({ status: isWell ? 'ok' : 'degraded', database, objects, endpoints });
  });

  return app;
}

/**
 * Each endpoint once, with the bots that need it: the configured ones, and those that operators made.
 * Workers AI is part of the platform and has no address.
 */
async function endpointsOf(deps: ServerDeps, requestId: string): Promise<{ endpoint: Endpoint; bots: string[] }[]> {
  const found = new Map<string, { endpoint: Endpoint; bots: string[] }>();
  for (const { id, settings } of await definitions(deps, requestId)) {
    const { kind, baseUrl, apiKey } = settings;
    if (kind === 'workers-ai') continue;
    const key = `${kind} ${baseUrl}`;
    const entry = found.get(key) ?? { endpoint: { kind, baseUrl, apiKey }, bots: [] };
    entry.bots.push(id);
    found.set(key, entry);
  }
  return [...found.values()].slice(0, MAX_ENDPOINTS);
}

/** What an operator changed counts before what is configured. Without D1 only the configured ones are known. */
async function definitions(deps: ServerDeps, requestId: string): Promise<BotDefinition[]> {
  const { config } = deps;
  const bots = new Map(configuredBots(config).map((bot) => [bot.id, bot]));
  try {
    for (const json of await inTime(deps.history.listDefinitions(MAX_BOTS))) {
      const spec = storedSpec(json);
      // One that configuration does not allow any more is not asked, either.
      if (spec && useProblem(spec, config) === null)
        bots.set(spec.id, define(spec, configuredKey(spec, config), config));
    }
  } catch (error) {
    deps.report('history_read_failed', { requestId, ...describeError(error) });
  }
  return [...bots.values()];
}

function storedSpec(json: string): BotSpec | null {
  const result = botSpec.safeParse(JSON.parse(json));
  return result.success ? result.data : null;
}

function inTime<T>(call: Promise<T>): Promise<T> {
  return Promise.race([call, rejectOnAbort(AbortSignal.timeout(CHECK_TIMEOUT_MS))]);
}

async function check(deps: ServerDeps, call: (signal: AbortSignal) => Promise<unknown>): Promise<Check> {
  const startedAt = deps.now();
  const signal = AbortSignal.timeout(CHECK_TIMEOUT_MS);
  try {
    await Promise.race([call(signal), rejectOnAbort(signal)]);
    return { ok: true, ms: deps.now() - startedAt };
  } catch (error) {
    return { ok: false, ms: deps.now() - startedAt, error: reasonOf(error) };
  }
}

/** D1 and objects cannot be told to give up, only no longer be waited for. */
function rejectOnAbort(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason), { once: true });
  });
}

function reasonOf(error: unknown): string {
  if (error instanceof TurnFailure) return error.message;
  if (error instanceof Error && error.name === 'TimeoutError') return `No answer within ${CHECK_TIMEOUT_MS / 1_000} s.`;
  return error instanceof Error ? `Failed: ${error.name}.` : 'Failed.';
}

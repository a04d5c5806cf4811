/** The composition root: what Cloudflare starts, and where every port gets its real thing. */
import { asMade } from './auth/host.ts';
import { Authenticator } from './auth/identity.ts';
import { createBotDirectory } from './bots/directory.ts';
import { applyRetention, type RetentionPorts } from './bots/retention.ts';
import { ConfigError, parseConfig, type Bindings } from './env.ts';
import { listAlerts } from './history/alerts.ts';
import { listBotSnapshots } from './history/bot-snapshots.ts';
import { auditHead, auditHeads, findStoredBot, listAudit, listDefinitions, readBots } from './history/bots.ts';
import { listSessions } from './history/list.ts';
import { removeSession } from './history/remove.ts';
import { quietSessions, storedRetention } from './history/retention.ts';
import { searchMessages } from './history/search.ts';
import { describeError } from './metrics/describe-error.ts';
import { createLog } from './metrics/log.ts';
import { refuseUpgrade } from './objects/refuse-upgrade.ts';
import { listModels, probe } from './responders/discovery.ts';
import { createApp } from './server/app.ts';
import { problemResponse } from './server/problem.ts';

export { Bot } from './objects/bot.ts';
export { ChatSession } from './objects/chat-session.ts';
export { HistoryWriter } from './objects/history-writer.ts';

type App = ReturnType<typeof createApp>;

/** One app per isolate, which keeps its bindings for life. */
let app: App | null = null;

function build(env: Bindings): App {
  const config = parseConfig(env);
  const log = createLog(config.logLevel);
  return createApp({
    config,
    auth: new Authenticator(config, { fetch: (url, init) => fetch(url, init), now: () => Date.now() }),
    bots: createBotDirectory(config, {
      listModels,
      stored: (id) => findStoredBot(env.DB, id),
      now: () => Date.now(),
    }),
    history: {
      listSessions: (user, page) => listSessions(env.DB, user, page),
      searchMessages: (user, search) => searchMessages(env.DB, user, search),
      listAlerts: (page) => listAlerts(env.DB, page),
      readBots: (page) => readBots(env.DB, page),
      listDefinitions: (limit) => listDefinitions(env.DB, limit),
      listAudit: (page) => listAudit(env.DB, page),
      auditHeads: (after, limit) => auditHeads(env.DB, after, limit),
      auditHead: (bot) => auditHead(env.DB, bot),
      listBotSnapshots: (limit) => listBotSnapshots(env.DB, limit),
      ping: async () => {
        await env.DB.prepare('SELECT 1').run();
      },
    },
    session: (id) => env.SESSIONS.getByName(id),
    control: (id) => env.CONTROL.getByName(id),
    fetchAsset: (request) => env.ASSETS.fetch(request),
    probeEndpoint: probe,
    refuseUpgrade,
    connectLimit: env.CONNECT_LIMIT ?? null,
    writeLimit: env.WRITE_LIMIT ?? null,
    readLimit: env.READ_LIMIT ?? null,
    now: () => Date.now(),
    report: log.error,
    note: log.info,
  });
}

export default {
  async fetch(request, env, context) {
    try {
      app ??= build(env);
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error;
      const message = `The server is not configured: ${error.message}`;
      return problemResponse({ code: 'unavailable', message, retryable: false }, crypto.randomUUID());
    }
    return app.fetch(parseConfig(env).localServer ? asMade(request) : request, env, context);
  },
  /** By the clock (wrangler.toml): sessions that their bots keep only for some days are erased. */
  async scheduled(_, env) {
    const config = parseConfig(env);
    const log = createLog(config.logLevel);
    const ports: RetentionPorts = {
      storedRetention: () => storedRetention(env.DB),
      quietSessions: (rules, page) => quietSessions(env.DB, rules, page),
      retire: ({ id, bot, before }) => env.SESSIONS.getByName(id).retire(bot, before),
      async forget({ id, user }) {
        await removeSession(env.DB, { id, user }, Date.now());
      },
      onFailure: ({ id }, error) => log.error('retention_failed', { session: id, ...describeError(error) }),
    };
    log.info('retention', await applyRetention(config, ports, Date.now()));
  },
} satisfies ExportedHandler<Bindings>;

/** What the server needs of the world: the Worker provides the real things, tests their own. */
import type { Authenticator } from '../auth/identity.ts';
import type { BotDirectory } from '../bots/directory.ts';
import type { ListingPorts } from '../bots/listing.ts';
import type { Config, SessionStub } from '../env.ts';
import type { AlertFilter, AlertPage } from '../history/alerts.ts';
import type { BotSnapshots } from '../history/bot-snapshots.ts';
import type { AuditHead, AuditPage } from '../history/bots.ts';
import type { SessionFilter, SessionPage } from '../history/list.ts';
import type { LogEvent } from '../metrics/log.ts';
import type { BotRpc } from '../objects/bot-rpc.ts';
import type { SearchFilter, SearchPage } from '../history/search.ts';
import type { RequestErrorCode } from '../protocol/codes.ts';
import type { WireError } from '../protocol/server-frames.ts';
import type { Endpoint } from '../responders/discovery.ts';

/** Reads of D1. May throw whatever D1 throws, and HistoryError. */
interface HistoryReads {
  listSessions(user: string, page: SessionFilter & { cursor?: string; limit: number }): Promise<SessionPage>;
  searchMessages(
    user: string,
    search: SearchFilter & { query: string; cursor?: string; limit: number },
  ): Promise<SearchPage>;
  listAlerts(page: AlertFilter & { cursor?: string; limit: number }): Promise<AlertPage>;
  readBots: ListingPorts['readBots'];
  listDefinitions(limit: number): Promise<string[]>;
  listAudit(page: { bot?: string; cursor?: string; limit: number }): Promise<AuditPage>;
  auditHeads(after: string, limit: number): Promise<AuditHead[]>;
  auditHead(bot: string): Promise<AuditHead[]>;
  listBotSnapshots(limit: number): Promise<BotSnapshots>;
  /** Resolves when the database answers. */
  ping(): Promise<void>;
}

/** The platform's rate limit binding. */
export interface RateLimiter {
  limit(options: { key: string }): Promise<{ success: boolean }>;
}

export interface ServerDeps {
  config: Config;
  auth: Authenticator;
  bots: BotDirectory;
  history: HistoryReads;
  /** The object of the session with this id, whether or not there is such a session. */
  session(id: string): SessionStub;
  /** The object of the bot with this id, whether or not there is such a bot. */
  control(id: string): BotRpc;
  /** The built page and its parts. */
  fetchAsset(request: Request): Promise<Response>;
  /** Resolves when the endpoint answers, with its version where it has one; throws a TurnFailure. */
  probeEndpoint(endpoint: Endpoint, signal: AbortSignal): Promise<string | null>;
  /** Accepts an upgrade, says why it is refused, closes. */
  refuseUpgrade(error: WireError, closeCode: number): Response;
  connectLimit: RateLimiter | null;
  writeLimit: RateLimiter | null;
  readLimit: RateLimiter | null;
  /** Milliseconds since 1970. */
  now(): number;
  /** A line in the log for a fault, and for what happens all the time; see metrics/log.ts. */
  report: LogEvent;
  note: LogEvent;
}

/** What middleware leaves for handlers. */
export interface AppEnv {
  Variables: {
    requestId: string;
    /** The code of the problem that was answered, and the turn that a message became: for the log. */
    problem?: RequestErrorCode;
    turn?: number;
  };
}

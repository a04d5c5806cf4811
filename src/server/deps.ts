/** What the server needs of the world: the Worker provides the real things, tests their own. */
import type { BotDirectory } from '../bots/directory.ts';
import type { Config, SessionStub } from '../env.ts';
import type { SessionFilter, SessionPage } from '../history/list.ts';
import type { BotRpc } from '../objects/bot-rpc.ts';
import type { SearchFilter, SearchPage } from '../history/search.ts';
import type { WireError } from '../protocol/server-frames.ts';
import type { Endpoint } from '../responders/discovery.ts';

/** Reads of D1. May throw whatever D1 throws, and HistoryError. */
interface HistoryReads {
  listSessions(user: string, page: SessionFilter & { cursor?: string; limit: number }): Promise<SessionPage>;
  searchMessages(
    user: string,
    search: SearchFilter & { query: string; cursor?: string; limit: number },
  ): Promise<SearchPage>;
  /** Resolves when the database answers. */
  ping(): Promise<void>;
}

/** The platform's rate limit binding. */
export interface RateLimiter {
  limit(options: { key: string }): Promise<{ success: boolean }>;
}

export interface ServerDeps {
  config: Config;
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
  /** Milliseconds since 1970. */
  now(): number;
  /** One structured line for operators; never message text, never a secret. */
  report(event: string, fields: Record<string, string | number | boolean>): void;
}

/** What middleware leaves for handlers. */
export interface AppEnv {
  Variables: { requestId: string };
}

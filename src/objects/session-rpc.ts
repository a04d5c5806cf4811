/**
 * What the HTTP side may ask of a chat session. Types only: the server never sees the object's
 * insides. Refusals come back as data; a thrown error is a fault of the platform or ours.
 */
import type { WireError } from '../protocol/server-frames.ts';
import type { BotMessage, Message } from '../protocol/transcript.ts';
import type { BotRef } from '../protocol/values.ts';

export type Result<T> = { ok: true; value: T } | { ok: false; error: WireError };

/** A session as lists and settings show it. Times in ms since 1970. */
export interface SessionSummary {
  id: string;
  bot: BotRef;
  title: string;
  archived: boolean;
  folder: string;
  createdAt: number;
}

export interface SessionPatch {
  title?: string;
  bot?: BotRef;
  archived?: boolean;
  folder?: string;
}

/** A share link, without its secret. Times in ms since 1970. */
export interface ShareRow {
  id: string;
  createdAt: number;
  expiresAt: number;
}

/** What who has a link may read. */
export interface SharedPage extends MessagePage {
  title: string;
  bot: BotRef;
  expiresAt: number;
}

export interface Accepted {
  id: string;
  seq: number;
  /** Turns before this one; 0 when it is being answered or was answered. */
  position: number;
}

export interface MessagePage {
  /** In the order of the log. */
  messages: Message[];
  /** Pass as `before` for the page that comes earlier; null at the beginning. */
  nextBefore: number | null;
}

/**
 * Every call names the user on whose behalf it is made (checked by the server); a session of
 * another user answers `session_not_found`, as does one that does not exist.
 */
export interface SessionRpc {
  /** Brings the session into being; again with the same id and user: the same answer. */
  create(user: string, id: string, settings: { bot: BotRef; title: string }): Promise<Result<SessionSummary>>;
  describe(user: string): Promise<Result<SessionSummary>>;
  update(user: string, patch: SessionPatch): Promise<Result<SessionSummary>>;
  /** Erases log, history and index; the object is empty afterwards. */
  remove(user: string): Promise<Result<null>>;
  /** Accepts a message durably. With `waitMs` > 0 also waits that long for how its turn ends (null: still running). */
  send(
    user: string,
    message: { id: string; text: string; priority?: number },
    waitMs: number,
  ): Promise<Result<Accepted & { reply: BotMessage | null }>>;
  /** The bot has news for a turn that waits: ask it again. Says nothing to nobody, so it names no user. */
  wake(): Promise<void>;
  /**
   * Erases the session if `bot` still answers it and nothing was said in it since `before` (ms since 1970).
   * For the deployment itself, so it names no user. `unknown`: there is no session here.
   */
  retire(bot: string, before: number): Promise<'erased' | 'kept' | 'unknown'>;
  /** The page of messages with `seq` < `before` (absent: the newest). */
  messages(user: string, page: { before?: number; limit: number }): Promise<Result<MessagePage>>;
  /** Adds a share link, of whose secret only the digest comes here. */
  share(user: string, share: { id: string; digest: string; expiresAt: number }): Promise<Result<ShareRow>>;
  /** Links that still open something. */
  shares(user: string): Promise<Result<ShareRow[]>>;
  /** Revokes a link; false: there is none with this id. */
  unshare(user: string, id: string): Promise<Result<boolean>>;
  /** A page of messages for who has the link, who is no user: `session_not_found` for a link that opens nothing. */
  shared(digest: string, page: { before?: number; limit: number }): Promise<Result<SharedPage>>;
}

/** Headers by which the server hands a WebSocket upgrade to the object, after checking them itself. */
export const USER_HEADER = 'x-switchboard-user';
/** Until when the proof of the user holds (ms since 1970). */
export const UNTIL_HEADER = 'x-switchboard-until';

/** What the page needs of the outside, so that tests and tools can stand in for it. */
import type { SessionClient } from '../../client/types.ts';
import type { BotRef } from '../../protocol/values.ts';

export interface BotInfo extends BotRef {
  /** `running`, `stopped`, `paused`, `degraded`, `starting`; or what a newer server may say. */
  state: string;
  /** Whether the endpoint has the model just now; null where nobody knows. */
  available: boolean | null;
}

export interface BotPage {
  bots: BotInfo[];
  nextCursor: string | null;
  /** Answers come from the built-in simulator; the page says so. */
  simulator: boolean;
}

/** How a bot is doing, as far as everybody may know. */
export interface BotHealth {
  name: string;
  model: string;
  state: string;
  /** What made the state what it is; empty where there is nothing to say. */
  because: string;
  /** Turns being answered and turns waiting; null where the server does not say. */
  running: number | null;
  queued: number | null;
}

export interface SessionInfo {
  id: string;
  title: string;
  bot: BotRef;
  archived: boolean;
  /** Milliseconds since 1970. */
  lastAt: number;
}

export interface SessionPage {
  sessions: SessionInfo[];
  nextCursor: string | null;
}

export interface Hit {
  session: { id: string; title: string };
  seq: number;
  role: 'user' | 'bot';
  at: number;
  excerpt: { text: string; matches: readonly (readonly [number, number])[]; cutStart: boolean; cutEnd: boolean };
  before: ContextLine[];
  after: ContextLine[];
}

export interface ContextLine {
  role: 'user' | 'bot';
  text: string;
}

interface HitPage {
  hits: Hit[];
  nextCursor: string | null;
}

/** Every call rejects with an Error whose message can be shown to a person. */
export interface Api {
  bots(cursor: string | null): Promise<BotPage>;
  bot(id: string): Promise<BotInfo>;
  botHealth(id: string): Promise<BotHealth>;
  sessions(query: { archived: boolean; cursor?: string }): Promise<SessionPage>;
  createSession(settings: { bot?: string }): Promise<SessionInfo>;
  updateSession(id: string, patch: { title?: string; bot?: string; archived?: boolean }): Promise<void>;
  deleteSession(id: string): Promise<void>;
  search(query: { text: string; cursor?: string }, signal: AbortSignal): Promise<HitPage>;
}

/** The part of localStorage that is used; it may be full or forbidden, so nothing depends on it. */
export interface TextStore {
  get(key: string): string | null;
  set(key: string, value: string | null): void;
}

export interface Ports {
  api: Api;
  openClient: (session: string) => SessionClient;
  /** Removes every unsent message of the session from the browser. */
  eraseUnsent: (session: string) => Promise<void>;
  store: TextStore;
  /** Saves what is at this address of ours as a file. */
  download: (href: string) => void;
  /** Calls back before the next frame is drawn. */
  nextFrame: (callback: () => void) => void;
  now: () => number;
}

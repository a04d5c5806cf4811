/** What the page needs of the outside, so that tests and tools can stand in for it. */
import type { SessionClient } from '../../client/types.ts';
import type { BotRef } from '../../protocol/values.ts';

export interface BotInfo extends BotRef {
  /** Whether the endpoint has the model just now; null where nobody knows. */
  available: boolean | null;
}

/** Where answers come from; the page says so when it is not a language model. */
export interface BotList {
  bots: BotInfo[];
  simulator: boolean;
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
  bots(): Promise<BotList>;
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
  /** Calls back before the next frame is drawn. */
  nextFrame: (callback: () => void) => void;
  now: () => number;
}

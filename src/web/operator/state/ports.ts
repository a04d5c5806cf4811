/** What the console needs of the outside, so that tests can stand in for it. */
import type { BotSpecPatch } from '../../../bots/spec.ts';
import type { BotAction } from '../../../objects/bot-rpc.ts';
import type { AlertPage, AuditPage, BotRow, BotStatus, BotView } from './shapes.ts';

/**
 * Every rejection of the API.
 * - a code of the server's problems
 * - `connection`: no answer came
 * - `bad_answer`: an answer came that is not of this API
 */
export class OperatorError extends Error {
  override readonly name = 'OperatorError';
  readonly code: string;
  /** 0 where no answer came. */
  readonly status: number;
  /** For the server's logs; null where the server gave none. */
  readonly requestId: string | null;
  readonly retryAfterMs: number | null;

  constructor(
    code: string,
    status: number,
    message: string,
    more: { requestId?: string | null; retryAfterMs?: number | null; cause?: unknown } = {},
  ) {
    super(message, { cause: more.cause });
    this.code = code;
    this.status = status;
    this.requestId = more.requestId ?? null;
    this.retryAfterMs = more.retryAfterMs ?? null;
  }
}

/** Every call rejects with an `OperatorError`. */
export interface OperatorApi {
  /** Whether this browser is an operator's already, by its cookie or by Access. */
  isOperator(): Promise<boolean>;
  login(token: string): Promise<void>;
  logout(): Promise<void>;
  /** All of them, page after page. */
  bots(): Promise<BotList>;
  bot(id: string): Promise<BotView>;
  status(id: string): Promise<BotStatus>;
  act(id: string, action: BotAction): Promise<BotView>;
  create(spec: Readonly<Record<string, unknown>>): Promise<BotView>;
  update(id: string, patch: BotSpecPatch, revision: number): Promise<BotView>;
  remove(id: string): Promise<void>;
  alerts(query: { bot?: string }): Promise<AlertPage>;
  audit(query: { bot?: string; cursor?: string }): Promise<AuditPage>;
  verify(bot: string | null): Promise<Verification>;
  health(): Promise<Health>;
}

export interface BotList {
  bots: BotRow[];
  /** False: the server could not read everything, and some are missing or without measurements. */
  complete: boolean;
}

export interface Verification {
  entries: number;
  broken: readonly { bot: string; seq: number; reason: string }[];
}

export interface Check {
  ok: boolean;
  /** How long the answer took. */
  ms: number;
  /** Why not. */
  error?: string | undefined;
}

export interface Health {
  status: string;
  database: Check;
  objects: Check;
  endpoints: readonly (Check & { kind: string; url: string; bots: readonly string[] })[];
}

/** The outside, as the page starts with it. */
export interface Outside {
  /** `onFailure` hears of every call that fails, before its caller does. */
  connect: (onFailure: (error: OperatorError) => void) => OperatorApi;
  /** Milliseconds since 1970. */
  now: () => number;
  /** Calls back after so many ms; what it returns takes that back. */
  after: (ms: number, callback: () => void) => () => void;
}

export interface Ports extends Omit<Outside, 'connect'> {
  api: OperatorApi;
}

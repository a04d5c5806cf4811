/**
 * What sessions and the server may ask of a bot's object. Types only. Refusals come back as data;
 * a thrown error is a fault of the platform or ours, and the caller tries again.
 */
import type { BotAction, BotState } from '../bots/bot-state.ts';
import type { BotSpec, BotSpecPatch } from '../bots/spec.ts';
import type { AlertView } from '../metrics/alert-rules.ts';
import type { BotStats } from '../metrics/bot-stats.ts';
import type { TurnErrorCode } from '../protocol/codes.ts';
import type { TurnWait } from '../protocol/server-frames.ts';
import type { BotRef } from '../protocol/values.ts';
import type { Result } from './session-rpc.ts';

export type { BotAction, BotState };

/** Why a turn waits: for a slot, for a person to launch or resume the bot, for the endpoint, for the next minute's budget. */
export type WaitReason = TurnWait['reason'];

/** A turn as it stands before a bot. */
export interface TurnClaim {
  turn: number;
  attempt: number;
  /** 0 to 2, higher first. */
  priority: number;
  phase: 'waiting' | 'running';
  /** Whether anything came of the answer since the last call: then the endpoint lives, whatever a probe says. */
  progressed: boolean;
}

/** A turn that this bot answered, or did not. Times in ms. */
export interface TurnReport {
  turn: number;
  attempt: number;
  outcome: 'reply' | 'stopped' | 'failed';
  /** With `failed`. */
  code?: TurnErrorCode;
  /** The failure's sentence, for operators; holds no message text. */
  message?: string;
  promptTokens: number;
  answerTokens: number;
  /** Waiting for this bot before the answer was begun. */
  waitedMs: number;
  /** From the beginning of the answer to its first token and to its end; 0 where it did not come so far. */
  firstTokenMs: number;
  totalMs: number;
  /** What of `totalMs` was ours and not the model's; null where the endpoint does not say. */
  overheadMs: number | null;
}

/** What became of a session's turns, and what else is counted, since it was told last. */
export interface SessionReport {
  session: string;
  ended: readonly TurnReport[];
  /** Rows that the session wrote in its object. */
  rowsWritten: number;
  /** Age of the oldest record that D1 does not have, in ms; 0 when it has all. */
  undeliveredMs: number;
  /** Turns begun again after the process had ended, and sockets closed for silence. */
  restarts: number;
  silentCloses: number;
}

/** One call of a session: what it has to tell, and what it wants to do. At most one a second while busy. */
export interface SessionCall extends SessionReport {
  user: string;
  /** The bot as the session remembers it: enough to answer where nothing else defines it. */
  bot: BotRef;
  /** The turn that wants to begin, waits or runs; null: a report only, which changes nothing about a turn that is not in `ended`. */
  claim: TurnClaim | null;
  /** The session has a turn that was told to wait and does: also where the call is a report, and claims nothing. */
  waits?: boolean;
  /** The session has no turn here any more, nor was one begun that still runs: its place and its slot are free. */
  left?: boolean;
  /** Sockets that are connected to the session. */
  connections: number;
  /** The revision whose definition the session holds; -1 for none. */
  revision: number;
  /** What other sessions of the same process have to tell. */
  others?: readonly SessionReport[];
}

/** `excess`: connections of this session beyond what its user may have to the bot; to be closed. Absent: none. */
export type SessionAnswer = Verdict & { excess?: number };

export type Verdict =
  /** Begin, or go on. `spec` when the session's revision is not the bot's; null there: as configuration defines it. */
  | {
      do: 'go';
      revision: number;
      spec?: BotSpec | null;
      /** Until when (ms from now) the session may generate without a further 'go'; null without a limit on slots. */
      leaseMs: number | null;
      callAgainMs: number;
      /** Within `callAgainMs` turns may begin without asking, in every session of the process. Absent: none may. */
      unasked?: boolean;
    }
  /** Do not begin (or end what runs, to be begun anew later). `place` counts from 1, 0 where there is no order. */
  | { do: 'wait'; reason: WaitReason; place: number; callAgainMs: number }
  /** The turn fails with this. */
  | { do: 'fail'; code: TurnErrorCode; message: string }
  /** The report was taken, nothing else was asked. */
  | { do: 'nothing' };

/** A bot as its operator sees it. Times in ms since 1970 unless they say otherwise. */
export interface BotStatus {
  id: string;
  name: string;
  model: string;
  state: BotState;
  /** What made the state what it is, for people: the endpoint's failure, who stopped it. */
  because: string | null;
  revision: number;
  /** Since the last launch; 0 when stopped. */
  uptimeMs: number;
  /** Turns being answered and turns waiting just now. */
  running: number;
  queued: number;
  /** Slots there are; null without a limit. */
  slots: number | null;
  /** Turns that may wait; null where nothing bounds them. */
  queueLimit: number | null;
  connections: number;
  breaker: 'closed' | 'open' | 'half-open';
  lastError: { code: TurnErrorCode; message: string; at: number; session: string; turn: number } | null;
  stats: BotStats;
  alerts: readonly AlertView[];
}

export interface BotView extends BotStatus {
  /** The definition as an operator may see and change it (no keys); null where configuration defines the bot. */
  spec: BotSpec | null;
}

/** Who did something, as the audit log names them: `token`, `login`, or `access:<hash>`; never a secret, never an address. */
export type Actor = string;

/** One entry of a bot's own hash-chained log. */
export interface AuditEntry {
  bot: string;
  seq: number;
  at: number;
  actor: Actor;
  action: 'create' | 'update' | 'delete' | BotAction;
  /** What was changed: names of fields with their new values; prompts as digests. */
  detail: Readonly<Record<string, unknown>>;
  /** Hex. */
  hash: string;
}

export interface BotRpc {
  /** A session's turn asks to begin, goes on, or has ended. */
  attend(call: SessionCall): Promise<SessionAnswer>;
  /** `ref`: the bot as configuration or the endpoint's list defines it; null where only the object can know it. */
  view(ref: BotRef | null): Promise<Result<BotView>>;
  /** Brings a definition into being; `bot_exists` when there is one. The bot is stopped. */
  create(actor: Actor, spec: BotSpec): Promise<Result<BotView>>;
  /** Changes a definition; with `revision` only that one (`stale_base`). Running turns go on with theirs. */
  update(actor: Actor, ref: BotRef | null, patch: BotSpecPatch, revision?: number): Promise<Result<BotView>>;
  /** Idempotent: already so is a success that writes nothing. */
  act(actor: Actor, ref: BotRef | null, action: BotAction): Promise<Result<BotView>>;
  /**
   * Deletes the definition; running turns are cut, waiting ones fail. The log stays. With `ref` (a bot that
   * configuration defines) only what an operator changed: it is as configured again.
   */
  remove(actor: Actor, ref: BotRef | null): Promise<Result<null>>;
  /** Walks the log's hash chain: how many entries hold, the last one's hash (hex), and where it is broken (null: nowhere). */
  verify(): Promise<{ entries: number; head: string; brokenAt: { seq: number; reason: string } | null }>;
}

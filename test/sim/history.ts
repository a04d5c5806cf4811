/** What a run leaves behind for the checker: facts only, as they were seen from outside. */
import type { SessionAnswer, TurnClaim } from '../../src/objects/bot-rpc.ts';
import type { ClientFrame } from '../../src/protocol/client-frames.ts';
import type { SessionHistory } from '../support/history-checker.ts';

/** One question to the model and what became of it. */
export interface Ask {
  turn: number;
  attempt: number;
  /** The bot that was asked, its name by the definition it was asked with, and the process that asked. */
  bot: string;
  name: string;
  boot: number;
  /** When it began and ended, in ms since the run began; when it began by the object's clock. */
  startAt: number;
  startClock: number;
  endAt: number | null;
  /** How much the session had been told by bots until then. */
  told: number;
  question: string;
  /** Earlier turns as the prompt was given them, newest first. */
  past: { user: string; bot: string }[];
  /** There were no others; false where the prompt had no room for more. */
  isWhole: boolean;
  /** The log's end when it was asked. */
  head: number;
  /** Everything that the stream brought, before it was made well-formed. */
  text: string;
  thinking: string;
  end: 'open' | 'whole' | 'failed' | 'aborted' | 'lost' | 'unsent';
  /** The code of the failure. */
  code: string | null;
  /** Reads that were begun after the stream was closed. */
  lateReads: number;
  /** For streams that were closed: the log's end at that moment. */
  closedAt: number | null;
}

/** What a session asked a bot. Times in ms since the run began, `clock` by the object's own. */
export interface BotCall {
  bot: string;
  /** The process that asked. */
  boot: number;
  claim: TurnClaim | null;
  calledAt: number;
  calledClock: number;
}

/** What the session was told. */
export interface Told extends BotCall {
  at: number;
  /** It came when the session may have given up on it. */
  isLate: boolean;
  /** The object's clock was set meanwhile. */
  isSkewed: boolean;
  /** The turn that ran then by the log, `<turn>.<attempt>`. */
  running: string | null;
  answer: SessionAnswer;
}

/** A generation at a bot's endpoint, of whatever session. Times in ms since the run began. */
export interface Flight {
  bot: string;
  who: string;
  startAt: number;
  endAt: number | null;
  /** When it has to end; null where there is no lease. */
  dueAt: number | null;
  /** The object's clock was set while it was told how long its lease is. */
  isSkewed: boolean;
}

/** What a tab showed of the reason why the turn waits, and what the session was told, while nothing was under way. */
export interface ShownWait {
  tab: string;
  shown: string;
  told: string;
}

export interface BotFacts {
  /** Every bot let everyone begin at once; nothing was noted. */
  isFree: boolean;
  told: Told[];
  /** How many a bot may answer at once, where that was so from the beginning to the end. */
  slots: Readonly<Record<string, number>>;
  flights: Flight[];
  /** Time passed at once, and timers came late. */
  jumps: { from: number; to: number }[];
  /** Bots that there are, and those that could not be found once. */
  known: readonly string[];
  missed: string[];
  waits: ShownWait[];
  /** Processes that ended, and the log's end then. */
  ends: { boot: number; head: number }[];
  /** Timers of processes whose turn sleeps. */
  sleepless: string[];
  /** Answers whose bot heard nothing of them for long. */
  mute: string[];
}

/** A frame that the object handled to its end. */
export interface Handled {
  frame: ClientFrame | null;
  /** The connection it came over, and the process that handled it. */
  tab: string;
  /** By the object's clock (ms since 1970). */
  at: number;
  /** The tab had been welcomed before. */
  greeted: boolean;
  headBefore: number;
  headAfter: number;
  /** Types, error codes and ids of what went back to the same tab meanwhile. */
  answers: { type: string; code: string | null; id: string | null }[];
  /** Whether D1 or the model were down. */
  degraded: boolean;
}

/** A message that a client took over from a person. */
export interface Wanted {
  id: string;
  text: string;
  /** Which page it was written in; a reload makes another one. */
  page: string;
  /** It was changed or withdrawn later, so that its place and text are not known. */
  touched: boolean;
  withdrawn: boolean;
}

/** The end of the log as it was durable at some moment. */
export interface Anchor {
  seq: number;
  hash: string;
}

/** Whether there was work, and whether something was going to wake the object up for it. */
export interface WakeSample {
  moment: string;
  work: boolean;
  armed: boolean;
}

/** What a tab showed of a running answer. */
export interface Shown {
  tab: string;
  turn: number;
  attempt: number;
  text: string;
  thinking: string;
}

/** A queue as a tab showed it: the running turn, and those that wait. */
export interface ShownQueue {
  tab: string;
  running: number | null;
  waiting: number[];
}

export interface Rest {
  /** Frames that clients still wait to send, by id. */
  pending: { id: string; refused: string | null }[];
  alarm: boolean;
  timers: number;
  /** Transactions written while the session was idle for an hour. */
  writesWhileIdle: number;
  wakesWhileIdle: number;
  /** What running answers or queues the tabs still show. */
  unsettled: string[];
  /** Settings of the session in D1 and in the log. */
  settings: { stored: string; logged: string };
}

export interface SimHistory {
  session: SessionHistory;
  /** The session was erased at the end. */
  removed: boolean;
  /** What a removed session left behind. */
  leftovers: string[];
  /** Answers that were read on, or asked for, after the session was erased: `<turn>.<attempt>`. */
  readOn: string[];
  asks: Ask[];
  handled: Handled[];
  wanted: Wanted[];
  anchors: Anchor[];
  /** The hash of every record at the end, by place. */
  hashes: string[];
  /** The first place where the hash chain does not hold. */
  chain: string | null;
  /** The state stored beside the last record, at the end. */
  state: string | null;
  wakes: WakeSample[];
  shown: Shown[];
  queues: ShownQueue[];
  delivered: number[];
  /** Null: the session did not come to rest in time. */
  rest: Rest | null;
  bots: BotFacts;
  /** Errors that reached the platform. */
  faults: string[];
  /** Nothing was done to this session: whatever it shows comes from another one. */
  spared: boolean;
  queueLimit: number;
  /** Frames that a tab may send at once, and unreadable ones after which it is closed. */
  frameBurst: number;
  badFrameLimit: number;
}

/** The sessions that a bot hears of: which run or wait just now, and how many connections each has. */
import type { BotStore, Connections } from './bot-store.ts';
import type { SessionCall, SessionReport, TurnClaim, TurnReport } from './bot-rpc.ts';

/** A session calls once a second while it is busy; one that did not for so long is not. */
const BUSY_MS = 3_500;
/** How long it is remembered what a session reported: longer than it goes on trying. */
const REMEMBER_MS = 60_000;
/** A session says when its connections change. One that never did again may be gone: it must not count for ever. */
const CONNECTIONS_KEEP_MS = 12 * 60 * 60_000;
/** Connections of one user to one bot, over all sessions; the newest ones beyond it are given up. */
export const MAX_CONNECTIONS_PER_USER = 200;
/** Reports by which a session's repeated ones are recognised: as many as it keeps for another try. */
const REMEMBERED_REPORTS = 100;

interface Heard {
  at: number;
  phase: 'waiting' | 'running' | null;
  /** Attempts whose end was reported, as `<turn>.<attempt>`. */
  reported: string[];
}

export class BotSessions {
  readonly #store: BotStore;
  /** In the order in which they were heard of last, so that what is old is found at the front. */
  readonly #heard = new Map<string, Heard>();
  /** Those of them whose turn runs, in the same order: counted at every call, so never walked through. */
  readonly #running = new Map<string, Heard>();
  readonly #connections = new Map<string, Connections>();
  readonly #byUser = new Map<string, number>();
  connections = 0;

  constructor(store: BotStore) {
    this.#store = store;
    for (const entry of store.connections()) this.#count(entry);
  }

  /** Takes note of a call. Returns the reports that were not made before, since a call that seemed lost is made again. */
  heard(call: SessionCall, at: number): TurnReport[] {
    const { session, user, connections: count } = call;
    const fresh = this.reported(call, at, call.claim);
    if ((this.#connections.get(session)?.count ?? 0) !== count) {
      const entry = { session, user, count, at };
      this.#count(entry);
      this.#store.saveConnections(entry);
    }
    return fresh;
  }

  /** The same of what was only told: by itself, or by another session. */
  reported({ session, ended }: SessionReport, at: number, asked: TurnClaim | null = null): TurnReport[] {
    const known = this.#heard.get(session) ?? { at, phase: null, reported: [] };
    const fresh = ended.filter((report) => !known.reported.includes(nameOf(report)));
    const reported = [...known.reported, ...fresh.map(nameOf)];
    const claim = asked && reported.includes(nameOf(asked)) ? null : asked;
    this.#heard.delete(session);
    const heard: Heard = { at, phase: null, reported: reported.slice(-REMEMBERED_REPORTS) };
    this.#heard.set(session, heard);
    // A report of something else does not say that the turn is over.
    this.#enter(session, heard, claim?.phase ?? (ended.length > 0 ? null : known.phase));
    return fresh;
  }

  /** Whether the session has said that this attempt is over: then the call that claims it is one that comes late. */
  isOver(session: string, claim: TurnClaim): boolean {
    return this.#heard.get(session)?.reported.includes(nameOf(claim)) ?? false;
  }

  /** The session has leave: its turn runs from now on. */
  began(session: string): void {
    const known = this.#heard.get(session);
    if (known) this.#enter(session, known, 'running');
  }

  left(session: string): void {
    const known = this.#heard.get(session);
    if (known) this.#enter(session, known, null);
  }

  /** How many of the session's connections are too many for its user. */
  excess({ session, user }: SessionCall): number {
    const own = this.#connections.get(session)?.count ?? 0;
    return Math.min(own, Math.max(0, (this.#byUser.get(user) ?? 0) - MAX_CONNECTIONS_PER_USER));
  }

  /** Sessions whose turn runs. Forgets those of which nothing was heard for long. */
  running(now: number): number {
    for (const [session, { at }] of this.#heard) {
      if (at >= now - REMEMBER_MS) break;
      this.#heard.delete(session);
    }
    for (const [session, { at }] of this.#running) {
      if (at >= now - BUSY_MS) break;
      this.#running.delete(session);
    }
    return this.#running.size;
  }

  /** Forgets connections of which nothing was heard for half a day. */
  forgetOld(now: number): void {
    for (const entry of this.#connections.values()) {
      if (entry.at >= now - CONNECTIONS_KEEP_MS) continue;
      this.#count({ ...entry, count: 0 });
      this.#store.saveConnections({ ...entry, count: 0 });
    }
  }

  #enter(session: string, heard: Heard, phase: Heard['phase']): void {
    heard.phase = phase;
    this.#running.delete(session);
    if (phase === 'running') this.#running.set(session, heard);
  }

  #count(entry: Connections): void {
    const before = this.#connections.get(entry.session);
    if (before) this.#add(before.user, -before.count);
    this.#add(entry.user, entry.count);
    if (entry.count > 0) this.#connections.set(entry.session, entry);
    else this.#connections.delete(entry.session);
  }

  #add(user: string, change: number): void {
    this.connections += change;
    const count = (this.#byUser.get(user) ?? 0) + change;
    if (count > 0) this.#byUser.set(user, count);
    else this.#byUser.delete(user);
  }
}

function nameOf({ turn, attempt }: Pick<TurnClaim, 'turn' | 'attempt'>): string {
  return `${turn}.${attempt}`;
}

/**
 * The line before a bot: who holds its slots and who waits for one. Pure: no clock, no storage; what
 * must outlive the process goes through `keep`, one call for each row that changed.
 *
 * A slot goes to the highest priority; within it to the user who holds fewest slots and was served
 * longest ago; within that first come, first served. A lease that is not renewed in time ends, and its
 * turn is back in the line under its old time, but is passed over until its session is heard of again:
 * a session that died must not be given slot after slot.
 */

/** A turn in the line, as it is kept. One session has one turn here. */
export interface LineEntry {
  session: string;
  user: string;
  turn: number;
  attempt: number;
  priority: number;
  /** When it came, ms since 1970; fractions tell apart who came in the same millisecond. */
  since: number;
  /** 0 while it waits; else which grant this was, counting up: who was served when. */
  grant: number;
}

export type LineClaim = Pick<LineEntry, 'session' | 'user' | 'turn' | 'attempt' | 'priority'>;

export interface LineKeep {
  put(entry: LineEntry): void;
  remove(session: string): void;
}

interface Held extends LineEntry {
  /** When the lease ends, ms since 1970; 0 while it waits. */
  leaseUntil: number;
  /** Heard of last; a waiting turn that is silent is passed over. */
  seenAt: number;
  absent: boolean;
  /** When its user was served before this grant: who gets nothing of a slot was not served. */
  servedBefore: number;
}

/** Between two that come in the same millisecond. */
const TICK = 1 / 1_024;
/** Users of whom is remembered when they were served last. */
const MAX_REMEMBERED_USERS = 2_000;

export class FairLine {
  readonly #entries = new Map<string, Held>();
  readonly #keep: LineKeep;
  /** Slots held, and the last grant, by user. */
  readonly #holds = new Map<string, number>();
  readonly #served = new Map<string, number>();
  #leased = 0;
  #absent = 0;
  #lastGrant = 0;
  #lastSince = 0;
  /** Changes whenever an order may have changed. */
  version = 0;

  /**
   * `entries`: what a process before has kept. How long its leases ran nobody knows any more, so each
   * is taken to be as long as one can be: `leaseUntil`.
   */
  constructor(keep: LineKeep, entries: readonly LineEntry[], now: number, leaseUntil: number) {
    this.#keep = keep;
    for (const entry of entries) {
      const leased = entry.grant > 0;
      const seen = { seenAt: now, absent: false, servedBefore: 0 };
      this.#entries.set(entry.session, { ...entry, ...seen, leaseUntil: leased ? leaseUntil : 0 });
      this.#lastSince = Math.max(this.#lastSince, entry.since);
      if (!leased) continue;
      this.#leased += 1;
      this.#count(entry.user, 1);
      this.#remember(entry.user, entry.grant);
      this.#lastGrant = Math.max(this.#lastGrant, entry.grant);
    }
  }

  get leased(): number {
    return this.#leased;
  }

  /** Turns that wait and are still heard of. */
  get waiting(): number {
    return this.#entries.size - this.#leased - this.#absent;
  }

  get size(): number {
    return this.#entries.size;
  }

  get(session: string): Readonly<Held> | undefined {
    return this.#entries.get(session);
  }

  waits(session: string): boolean {
    return this.#entries.get(session)?.grant === 0;
  }

  /** Whether the session holds a slot for just this attempt. */
  holds({ session, turn, attempt }: Pick<LineClaim, 'session' | 'turn' | 'attempt'>): boolean {
    const entry = this.#entries.get(session);
    return entry !== undefined && entry.grant > 0 && entry.turn === turn && entry.attempt === attempt;
  }

  /** The turn waits here from now on; one that is known keeps its time. A slot held for something older is given back. */
  join(claim: LineClaim, now: number): void {
    const known = this.#entries.get(claim.session);
    if (known && known.grant === 0 && isSame(known, claim)) {
      known.seenAt = now;
      this.#setAbsent(known, false);
      return;
    }
    const entry = this.#entryOf(claim, known, now);
    if (known) this.#forget(known, known.turn === claim.turn);
    this.#put(entry);
  }

  /** A slot at once, whatever the bound and whoever waits: for an answer that runs already, or where nobody waits. */
  adopt(claim: LineClaim, now: number, until: number): void {
    const known = this.#entries.get(claim.session);
    const entry = this.#entryOf(claim, known, now);
    if (known) this.#forget(known, known.turn === claim.turn);
    this.#entries.set(claim.session, entry);
    this.#grant(entry, until);
  }

  /** The lease goes on until `until`; false when there is none for this attempt. */
  renew(claim: LineClaim, now: number, until: number): boolean {
    const entry = this.#entries.get(claim.session);
    if (!entry || !this.holds(claim)) return false;
    entry.leaseUntil = Math.max(entry.leaseUntil, until);
    entry.seenAt = now;
    return true;
  }

  /** The session has no turn here any more. */
  leave(session: string): boolean {
    const entry = this.#entries.get(session);
    if (!entry) return false;
    this.#forget(entry, false);
    this.#keep.remove(session);
    return true;
  }

  /** A waiting turn of which is not known whether it still waits: passed over until it is heard of. */
  doubt(session: string): void {
    const entry = this.#entries.get(session);
    if (entry?.grant === 0) this.#setAbsent(entry, true);
  }

  /** Gives a free slot to whose turn it is; null when none is free or nobody waits. `slots`: null without a bound. */
  grantNext(slots: number | null, until: number): LineEntry | null {
    if (slots !== null && this.#leased >= slots) return null;
    let best: Held | null = null;
    for (const entry of this.#entries.values()) {
      if (entry.grant > 0 || entry.absent) continue;
      if (best === null || this.#compare(entry, best) < 0) best = entry;
    }
    if (best) this.#grant(best, until);
    return best;
  }

  /** Ends the leases that were not renewed by `now`; their turns wait again, unheard of. */
  expire(now: number): LineEntry[] {
    const ended = [...this.#entries.values()].filter((entry) => entry.grant > 0 && entry.leaseUntil <= now);
    for (const entry of ended) {
      this.#forget(entry, true);
      this.#put({ ...entry, grant: 0, leaseUntil: 0 });
      this.doubt(entry.session);
    }
    return ended;
  }

  /** Forgets waiting turns that were not heard of since `seenBefore`. */
  drop(seenBefore: number): void {
    for (const entry of this.#entries.values()) {
      if (entry.grant === 0 && entry.seenAt < seenBefore) this.leave(entry.session);
    }
  }

  /** When the first lease ends, ms since 1970; null without leases. */
  nextExpiry(): number | null {
    let next: number | null = null;
    for (const { grant, leaseUntil } of this.#entries.values()) {
      if (grant > 0 && (next === null || leaseUntil < next)) next = leaseUntil;
    }
    return next;
  }

  /** Waiting turns in the order in which they would be served if nothing changed. */
  order(): LineEntry[] {
    const queues = new Map<string, Held[]>();
    for (const entry of this.#entries.values()) {
      if (entry.grant > 0 || entry.absent) continue;
      const queue = queues.get(entry.user);
      if (queue) queue.push(entry);
      else queues.set(entry.user, [entry]);
    }
    const ranked: { entry: Held; round: number; served: number }[] = [];
    for (const [user, queue] of queues) {
      queue.sort((a, b) => b.priority - a.priority || a.since - b.since || compareText(a.session, b.session));
      const held = this.#holds.get(user) ?? 0;
      const served = this.#served.get(user) ?? 0;
      queue.forEach((entry, index) => ranked.push({ entry, round: held + index, served }));
    }
    ranked.sort(
      (a, b) =>
        b.entry.priority - a.entry.priority ||
        a.round - b.round ||
        a.served - b.served ||
        a.entry.since - b.entry.since ||
        compareText(a.entry.session, b.entry.session),
    );
    return ranked.map(({ entry }) => entry);
  }

  /** Every waiting turn, in no order, those unheard of included. */
  *waitingEntries(): Generator<LineEntry> {
    for (const entry of this.#entries.values()) if (entry.grant === 0) yield entry;
  }

  #compare(a: Held, b: Held): number {
    return (
      b.priority - a.priority ||
      (this.#holds.get(a.user) ?? 0) - (this.#holds.get(b.user) ?? 0) ||
      (this.#served.get(a.user) ?? 0) - (this.#served.get(b.user) ?? 0) ||
      a.since - b.since ||
      compareText(a.session, b.session)
    );
  }

  #grant(entry: Held, until: number): void {
    this.#setAbsent(entry, false);
    this.#lastGrant += 1;
    entry.grant = this.#lastGrant;
    entry.leaseUntil = until;
    entry.servedBefore = this.#served.get(entry.user) ?? 0;
    this.#leased += 1;
    this.#count(entry.user, 1);
    this.#remember(entry.user, entry.grant);
    this.#save(entry);
  }

  #put(entry: Held): void {
    this.#entries.set(entry.session, entry);
    this.#save(entry);
  }

  #save({ session, user, turn, attempt, priority, since, grant }: Held): void {
    this.version += 1;
    this.#keep.put({ session, user, turn, attempt, priority, since, grant });
  }

  #entryOf({ session, user, turn, attempt, priority }: LineClaim, known: Held | undefined, now: number): Held {
    let since = known?.since ?? 0;
    if (known?.turn !== turn) {
      since = Math.max(now, this.#lastSince + TICK);
      this.#lastSince = since;
    }
    const waits = { grant: 0, leaseUntil: 0, seenAt: now, absent: false, servedBefore: 0 };
    return { session, user, turn, attempt, priority, since, ...waits };
  }

  /** Takes the entry out of what is counted; its row is for the caller. `unserved`: its slot brought it nothing. */
  #forget(entry: Held, unserved: boolean): void {
    this.version += 1;
    this.#setAbsent(entry, false);
    this.#entries.delete(entry.session);
    if (entry.grant === 0) return;
    this.#leased -= 1;
    this.#count(entry.user, -1);
    if (unserved && this.#served.get(entry.user) === entry.grant) this.#served.set(entry.user, entry.servedBefore);
  }

  #setAbsent(entry: Held, absent: boolean): void {
    if (entry.absent === absent) return;
    entry.absent = absent;
    this.#absent += absent ? 1 : -1;
    this.version += 1;
  }

  #count(user: string, change: number): void {
    const held = (this.#holds.get(user) ?? 0) + change;
    if (held > 0) this.#holds.set(user, held);
    else this.#holds.delete(user);
  }

  /** Later served, later forgotten. */
  #remember(user: string, grant: number): void {
    this.#served.delete(user);
    this.#served.set(user, grant);
    for (const first of this.#served.keys()) {
      if (this.#served.size <= MAX_REMEMBERED_USERS) return;
      this.#served.delete(first);
    }
  }
}

function isSame(a: LineClaim, b: LineClaim): boolean {
  return a.turn === b.turn && a.attempt === b.attempt && a.priority === b.priority && a.user === b.user;
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

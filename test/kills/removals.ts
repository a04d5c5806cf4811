/** Sessions that are made and deleted while the process is killed around them. */
import type { D1Database } from '@cloudflare/workers-types';
import type { Violation } from '../support/history-checker.ts';
import { eventually, readLog } from '../support/observe.ts';
import type { User } from '../support/user.ts';

/** Alive ones kept for deletion. */
const MAX_ALIVE = 4;

export class Removals {
  readonly #user: User;
  /** Sessions whose making was acknowledged, and which nobody asked to delete. */
  readonly #alive: string[] = [];
  /** Asked to be deleted, not acknowledged yet. */
  #doomed: string | null = null;
  readonly #gone = new Set<string>();
  /** Requests whose answer the crash took: the session may be there or not. */
  #unknown = 0;

  constructor(user: User) {
    this.#user = user;
  }

  get gone(): number {
    return this.#gone.size;
  }

  /** A new session's id; null when the crash took the answer. */
  async create(): Promise<string | null> {
    this.#unknown += 1;
    const session = await this.#user.session().catch(() => null);
    if (session !== null) this.#unknown -= 1;
    return session;
  }

  /** Whether there are enough for now. */
  get full(): boolean {
    return this.#alive.length >= MAX_ALIVE;
  }

  /** Makes one to be deleted later, with a message in it. */
  async make(): Promise<void> {
    const session = await this.create();
    if (session === null) return;
    this.#alive.push(session);
    // To have something to erase; whether it arrives is no matter here.
    await this.#user.post(session, 'm1', 'To be forgotten').catch(() => null);
  }

  /** Deletes one, or goes on deleting the one before. */
  async remove(): Promise<void> {
    if (this.#doomed === null && this.#alive.length === 0) await this.make();
    this.#doomed ??= this.#alive.shift() ?? null;
    const session = this.#doomed;
    if (session === null) return;
    const answer = await this.#user.request(`/api/sessions/${session}`, { method: 'DELETE' }).catch(() => null);
    // 404: the deletion whose acknowledgement was lost.
    if (answer?.status !== 204 && answer?.status !== 404) return;
    this.#gone.add(session);
    this.#doomed = null;
  }

  /** At the end: what was deleted is gone from everywhere, what was made is there, nothing else is. */
  async check(d1: D1Database, others: readonly string[], timeoutMs: number): Promise<Violation[]> {
    const violations: Violation[] = [];
    if (this.#doomed !== null) await this.remove();
    if (this.#doomed !== null) violations.push({ rule: 'S1', detail: `${this.#doomed} cannot be deleted` });
    const left = await eventually(
      () => this.#leftOvers(d1),
      (found) => found.length === 0,
      timeoutMs,
    );
    violations.push(...left.map((detail) => ({ rule: 'S19', detail })));
    for (const session of this.#gone) {
      const { status } = await this.#user.request(`/api/sessions/${session}`);
      if (status !== 404) violations.push({ rule: 'S1', detail: `${session} was deleted and answers ${status}` });
    }
    const expected = new Set([...others, ...this.#alive]);
    const { results } = await d1.prepare('SELECT id FROM sessions').all<{ id: string }>();
    const ids = results.map(({ id }) => id);
    for (const id of expected) if (!ids.includes(id)) violations.push({ rule: 'S19', detail: `D1 lacks ${id}` });
    const unexpected = ids.filter((id) => !expected.has(id));
    if (unexpected.length > this.#unknown) {
      violations.push({ rule: 'S19', detail: `${unexpected.length} sessions nobody made: ${unexpected.join()}` });
    }
    for (const id of unexpected) {
      const log = await readLog(this.#user, id).catch(() => []);
      const kinds = log.map(({ kind }) => kind).join();
      if (kinds !== 'created') violations.push({ rule: 'S19', detail: `D1 lists ${id}, whose log is "${kinds}"` });
    }
    return violations;
  }

  /** What D1 still has of deleted sessions: rows, or a tombstone that still knows of rows. */
  async #leftOvers(d1: D1Database): Promise<string[]> {
    const gone = JSON.stringify([...this.#gone]);
    const rows = await d1
      .prepare('SELECT id FROM sessions WHERE id IN (SELECT value FROM json_each(?))')
      .bind(gone)
      .all<{ id: string }>();
    const graves = await d1
      .prepare('SELECT id FROM removed_sessions WHERE num IS NOT NULL OR user_id IS NOT NULL')
      .all<{ id: string }>();
    const orphans = await d1
      .prepare('SELECT count(*) AS count FROM messages WHERE id / 4194304 NOT IN (SELECT num FROM sessions)')
      .first<{ count: number }>();
    const lost = orphans?.count ?? 0;
    return [
      ...rows.results.map(({ id }) => `D1 lists ${id}, which was deleted`),
      ...graves.results.map(({ id }) => `D1 has not finished deleting ${id}`),
      ...(lost === 0 ? [] : [`D1 has ${lost} messages of no session`]),
    ];
  }
}

/** The bots' rows and their operators' actions in D1: written by the bots' objects, read by lists. */
import type { D1Database } from '@cloudflare/workers-types';

/** A bot as its object wrote it last. Times in ms since 1970. */
export interface StoredBot {
  id: string;
  name: string;
  model: string;
  state: string;
  /** JSON; null where configuration defines the bot. */
  spec: string | null;
  revision: number;
  deleted: boolean;
  /** JSON. */
  status: string;
  version: number;
  updatedAt: number;
}

export interface StoredAction {
  bot: string;
  seq: number;
  at: number;
  actor: string;
  action: string;
  detail: Readonly<Record<string, unknown>>;
  /** Hex. */
  hash: string;
}

/** The same again changes nothing; an older row that arrives late loses. */
export async function publishBot(db: D1Database, bot: StoredBot, actions: readonly StoredAction[]): Promise<void> {
  const { id, name, model, state, spec, revision, deleted, status, version, updatedAt } = bot;
  const row = db
    .prepare(
      `INSERT INTO bots (id, name, model, state, spec, revision, deleted, status, version, updated_at)
       VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)
       ON CONFLICT (id) DO UPDATE SET name = ?2, model = ?3, state = ?4, spec = ?5, revision = ?6, deleted = ?7,
         status = ?8, version = ?9, updated_at = ?10 WHERE version < ?9`,
    )
    .bind(id, name, model, state, spec, revision, Number(deleted), status, version, updatedAt);
  if (actions.length === 0) {
    await row.run();
    return;
  }
  const entries = actions.map(({ bot: of, seq, at, actor, action, detail, hash }) => {
    return [of, seq, at, actor, action, JSON.stringify(detail), hash];
  });
  const log = db
    .prepare(
      `INSERT INTO audit (bot, seq, at, actor, action, detail, hash)
       SELECT j.value ->> 0, j.value ->> 1, j.value ->> 2, j.value ->> 3, j.value ->> 4, j.value ->> 5, j.value ->> 6
       FROM json_each(?1) j WHERE true ON CONFLICT (bot, seq) DO NOTHING`,
    )
    .bind(JSON.stringify(entries));
  await db.batch([row, log]);
}

/** Applies `migrations/` to a local D1, keeping the same books as `wrangler d1 migrations apply`. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { D1Database } from '@cloudflare/workers-types';
import { unstable_splitSqlQuery } from 'wrangler';

const BOOKS = `CREATE TABLE IF NOT EXISTS d1_migrations (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  name TEXT UNIQUE,
  applied_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP NOT NULL
)`;

/** Resolves with the names of the migrations that were applied now. Each is applied whole or not at all. */
export async function migrate(db: D1Database, folder: string): Promise<string[]> {
  await db.prepare(BOOKS).run();
  const { results } = await db.prepare('SELECT name FROM d1_migrations').all<{ name: string }>();
  const applied = new Set(results.map((row) => row.name));
  const names = readdirSync(folder)
    .filter((name) => name.endsWith('.sql'))
    .toSorted();
  const missing = names.filter((name) => !applied.has(name));
  for (const name of missing) {
    const statements = unstable_splitSqlQuery(readFileSync(join(folder, name), 'utf8'));
    const note = db.prepare('INSERT INTO d1_migrations (name) VALUES (?)').bind(name);
    await db.batch([...statements.map((statement) => db.prepare(statement)), note]);
  }
  return missing;
}

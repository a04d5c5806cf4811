import { readFile, readdir } from 'node:fs/promises';
import { readD1Migrations } from '@cloudflare/vitest-plugin';
import { generateSQLiteDrizzleJson, generateSQLiteMigration } from 'drizzle-kit/api';
import { expect, test } from 'vitest';
import * as schema from '../../src/history/schema.ts';

const folder = new URL('../../migrations/', import.meta.url);

async function lastSnapshot(): Promise<Awaited<ReturnType<typeof generateSQLiteDrizzleJson>>> {
  const names = (await readdir(new URL('meta/', folder))).filter((name) => name.endsWith('_snapshot.json')).toSorted();
  return JSON.parse(await readFile(new URL(`meta/${names.at(-1)}`, folder), 'utf8'));
}

test('the schema is what the migrations make: drizzle-kit has nothing to generate', async () => {
  const statements = await generateSQLiteMigration(await lastSnapshot(), await generateSQLiteDrizzleJson(schema));
  expect(statements).toEqual([]);
});

test('a schema that changed without a migration would be noticed', async () => {
  const { messages: _messages, ...less } = schema;
  const statements = await generateSQLiteMigration(await lastSnapshot(), await generateSQLiteDrizzleJson(less));
  expect(statements).not.toEqual([]);
});

test('wrangler reads every migration of the journal, in order, as statements', async () => {
  const journal: { entries: { tag: string }[] } = JSON.parse(
    await readFile(new URL('meta/_journal.json', folder), 'utf8'),
  );
  const migrations = await readD1Migrations(folder.pathname);
  expect(migrations.map(({ name }) => name)).toEqual(journal.entries.map(({ tag }) => `${tag}.sql`));
  expect(migrations.every(({ queries }) => queries.length > 0)).toBe(true);
});

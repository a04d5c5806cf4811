import { defineConfig } from 'drizzle-kit';

/** `npx drizzle-kit generate` writes what changed in the schema as the next migration. */
export default defineConfig({
  dialect: 'sqlite',
  schema: './src/history/schema.ts',
  out: './migrations',
});

import { gzipSync } from 'node:zlib';
import { build } from 'esbuild';
import { expect, test } from 'vitest';

const KB = 1024;
const CLIENT = `export { createSessionClient } from './session-client.ts';`;
const ALL = `${CLIENT}
  export { browserOutbox } from './browser-outbox.ts';
  export { createApi, connectUrl } from './http.ts';`;

async function gzippedBytes(contents: string): Promise<number> {
  const { outputFiles } = await build({
    stdin: { contents, resolveDir: `${import.meta.dirname}/../../src/client` },
    bundle: true,
    minify: true,
    write: false,
    format: 'esm',
    target: 'es2022',
  });
  return gzipSync(outputFiles[0]?.contents ?? new Uint8Array(), { level: 9 }).length;
}

// The page has 50 KB in all. More than half of this is the wire's schemas and the schema library.
test.each([
  ['the client of a session', CLIENT, 17 * KB],
  ['with the outbox of a browser and the HTTP API', ALL, 20 * KB],
])('%s, minified and compressed, keeps to its size', async (_, contents, limit) => {
  const size = await gzippedBytes(contents);
  expect(size).toBeGreaterThan(8 * KB);
  expect(size).toBeLessThan(limit);
});

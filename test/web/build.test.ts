import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { buildWeb, MAX_INITIAL_JS_BYTES, type WebBuild } from '../../src/local/build-web.ts';

let dir = '';
let built: WebBuild;
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'switchboard-page-'));
  built = await buildWeb(dir);
});
afterAll(() => rm(dir, { recursive: true, force: true }));

test('the page needs less than 50 KB of JavaScript before it shows anything', () => {
  expect(MAX_INITIAL_JS_BYTES).toBe(50_000);
  expect(built.initialJsBytes).toBeLessThan(MAX_INITIAL_JS_BYTES);
  expect(built.initialJsBytes).toBeGreaterThan(10_000);
});

test('the page fits a policy without inline scripts and styles, and names only files that are there', async () => {
  const html = await readFile(join(dir, 'index.html'), 'utf8');
  expect(html).not.toMatch(/<style|\sstyle=|\son\w+=|<script(?![^>]*\ssrc=)|%[A-Z]+%/);
  const named = [...html.matchAll(/(?:src|href)="\/([^"]+)"/g)].map(([, path]) => path);
  expect(named).toHaveLength(3);
  for (const path of named) await readFile(join(dir, path ?? ''));
});

test('no component writes HTML: what a model says can only become text', async () => {
  const source = fileURLToPath(new URL('../../src/web', import.meta.url));
  const files = (await readdir(source, { recursive: true })).filter((name) => /\.tsx?$/.test(name));
  expect(files.length).toBeGreaterThan(30);
  for (const name of files) {
    const code = await readFile(join(source, name), 'utf8');
    expect(code, name).not.toMatch(/innerHTML|outerHTML|insertAdjacentHTML|document\.write|srcdoc/i);
  }
});

test('building again leaves no files of the build before', async () => {
  const before = await readdir(join(dir, 'assets'));
  await buildWeb(dir);
  expect(await readdir(join(dir, 'assets'))).toEqual(before);
});

import { join } from 'node:path';
import { expect, test } from 'vitest';
import { FLOORS, importsOf, violations } from './floors.ts';

const SRC = join(import.meta.dirname, '../../src');

test('every import stays on its floors', () => {
  const imports = importsOf(SRC);
  // Reading no imports would pass everything.
  expect(imports.length).toBeGreaterThan(300);
  expect(violations(imports)).toEqual([]);
});

test('every folder has its floors', () => {
  const places = new Set(importsOf(SRC).map(({ from }) => from.split('/')[0] ?? ''));
  expect([...places].filter((place) => !(place in FLOORS))).toEqual([]);
});

test.each([
  ['the wire importing the session', 'protocol/codec.ts', 'session/state.ts'],
  ['the core importing the platform', 'session/transition.ts', 'cloudflare:workers'],
  ['the core importing the log', 'session/transition.ts', 'log/session-log.ts'],
  ["HTTP importing an object's insides", 'server/sessions.ts', 'objects/chat-session.ts'],
  ['the page importing the server', 'web/main.tsx', 'server/app.ts'],
  ['the page importing another framework', 'web/main.tsx', 'react'],
  ['a folder without floors', 'misc/helper.ts', 'protocol/codec.ts'],
])('%s is seen', (_, from, to) => {
  expect(violations([{ from, to }])).toEqual([`${from} imports ${to}`]);
});

/** Tests are tested: a rule holds on the source as it is, and is broken when its check is taken away. */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { loadRules } from './patched.ts';
import type { Rules } from './rules/rule.ts';
import { access } from './removals/access.ts';
import { limits } from './removals/limits.ts';
import { operators } from './removals/operators.ts';
import { origins } from './removals/origins.ts';
import { routes } from './removals/routes.ts';
import { sessions } from './removals/sessions.ts';
import { shares } from './removals/shares.ts';

const REMOVALS = [...access, ...operators, ...origins, ...sessions, ...shares, ...limits, ...routes];
const FILES = readdirSync(join(import.meta.dirname, 'rules')).filter((file) => file !== 'rule.ts');
const whole = new Map<string, Rules>();
for (const file of FILES) whole.set(file, await loadRules(file, null));

describe.each([...whole])('%s', (_, rules) => {
  test.each(Object.entries(rules))('%s', async (_rule, holds) => {
    await holds();
  });
});

test('every rule has a check that can be taken away', () => {
  const broken = new Set(REMOVALS.map(({ file, rule }) => `${file}: ${rule}`));
  const all = [...whole].flatMap(([file, rules]) => Object.keys(rules).map((rule) => `${file}: ${rule}`));
  expect([...broken].toSorted()).toEqual(all.toSorted());
});

describe('without its check a rule is broken', () => {
  test.each(REMOVALS)('$rule ($patch.file: $patch.find)', async ({ file, rule, patch }) => {
    const rules = await loadRules(file, patch);
    const holds = rules[rule];
    if (!holds) throw new Error(`there is no such rule: ${rule}`);
    // Not just any error: the rule was looked at, and is not as it says.
    await expect(Promise.resolve().then(holds)).rejects.toMatchObject({ code: 'ERR_ASSERTION' });
  });
});

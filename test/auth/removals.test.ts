/** Tests are tested: a rule holds on the source as it is, and is broken when its check is taken away. */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { loadRules } from './patched.ts';

const FILES = readdirSync(join(import.meta.dirname, 'rules')).filter((file) => file !== 'rule.ts');
const whole = new Map(await Promise.all(FILES.map(async (file) => [file, await loadRules(file, null)] as const)));

describe.each([...whole])('%s', (_, rules) => {
  test.each(Object.entries(rules))('%s', async (_rule, holds) => {
    await holds();
  });
});

/** Drills against the real Worker, small: something really breaks, and what is counted of it is right. No times. */
import { expect, test } from 'vitest';
import { crash } from '../../load/drills/crash.ts';
import { asScenario, type Drill } from '../../load/drills/drill.ts';
import { drops } from '../../load/drills/drops.ts';
import type { ScenarioResult } from '../../load/scenario.ts';
import { SCENARIO_OPTIONS } from '../support/scenario-options.ts';

const USERS = 12;
const SECONDS = 9;
/** Gates that count; the others measure time, which a busy machine has its own ideas of. */
const COUNTS = /lost$|lost since|doubled|out of order|altered|break a rule|differently|rows missing|not answered|never/;

async function run(drill: () => Drill): Promise<ScenarioResult> {
  return asScenario(drill).run({ ...SCENARIO_OPTIONS, seconds: SECONDS, users: USERS });
}

function valueOf({ figures }: ScenarioResult, group: string, name: string, subject = 'measured'): number | null {
  const found = figures.find((one) => one.group === group && one.name === name && one.subject === subject);
  return found?.value ?? null;
}

function expectNothingLost(result: ScenarioResult): void {
  const counts = result.gates.filter(({ name }) => COUNTS.test(name));
  expect(counts.length).toBeGreaterThan(7);
  expect(counts.filter(({ ok }) => !ok)).toEqual([]);
  expect(valueOf(result, 'every message, checked', 'messages sent', 'all messages')).toBeGreaterThan(USERS);
  expect(valueOf(result, 'everybody', 'sent', 'during')).toBeGreaterThan(0);
}

test('crash: everybody loses the connection, nobody a message', { timeout: 120_000 }, async () => {
  const result = await run(crash);
  expect(valueOf(result, 'lost connections', 'faults')).toBe(3);
  expect(valueOf(result, 'lost connections', 'users who lost theirs, over all faults')).toBeGreaterThanOrEqual(USERS);
  expectNothingLost(result);
});

test('drops: some lose the connection, others none, nobody a message', { timeout: 120_000 }, async () => {
  const result = await run(drops);
  const cut = valueOf(result, 'by how they broke', 'connections cut', 'reset');
  expect(cut).toBeGreaterThan(0);
  expect(result.gates.map(({ name }) => name)).toContain('connections lost since the fault began');
  expect(valueOf(result, 'effect, as a ratio', 'answer p50, during / before', 'others')).not.toBeNull();
  expectNothingLost(result);
});

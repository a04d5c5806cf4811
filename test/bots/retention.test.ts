import { expect, it } from 'vitest';
import { applyRetention, type Retired, type RetentionPorts } from '../../src/bots/retention.ts';
import { parseConfig } from '../../src/env.ts';

const DAY_MS = 86_400_000;
const NOW = 1_700_000_000_000;
const config = parseConfig({
  SESSION_SECRET: 'a-secret-of-at-least-32-characters!!',
  BOTS: '[{"id":"week","name":"W","retentionDays":7},{"id":"changed","name":"C","retentionDays":7},{"id":"keeps","name":"K"}]',
});

function world(sessions: number, retire: (num: number) => Retired = () => 'erased') {
  const seen = { rules: [] as unknown[], retired: [] as number[], forgotten: [] as number[], failed: [] as number[] };
  const ports: RetentionPorts = {
    storedRetention: async () => [
      { bot: 'changed', days: null },
      { bot: 'made', days: 2 },
    ],
    quietSessions: async (rules, { after, limit }) => {
      seen.rules = [...rules];
      return Array.from({ length: sessions }, (_, at) => at + 1)
        .filter((num) => num > after && !seen.retired.includes(num))
        .slice(0, limit)
        .map((num) => ({ num, id: `s${num}`, user: 'u', bot: 'week', before: 1 }));
    },
    retire: async ({ num }) => {
      const result = retire(num);
      if (result !== 'kept') seen.retired.push(num);
      return result;
    },
    forget: async ({ num }) => void seen.forgotten.push(num),
    onFailure: ({ num }) => void seen.failed.push(num),
  };
  return { seen, ports };
}

it("B29: the rules are configuration's, except where an operator said otherwise", async () => {
  const { seen, ports } = world(0);
  await applyRetention(config, ports, NOW);
  expect(seen.rules).toEqual([
    { bot: 'week', before: NOW - 7 * DAY_MS },
    { bot: 'made', before: NOW - 2 * DAY_MS },
  ]);
});

it('B29: asks nothing where no bot forgets', async () => {
  const { seen, ports } = world(3);
  const plain = parseConfig({ SESSION_SECRET: 'a-secret-of-at-least-32-characters!!' });
  expect(await applyRetention(plain, { ...ports, storedRetention: async () => [] }, NOW)).toEqual({ erased: 0 });
  expect(seen.rules).toEqual([]);
});

it('B29: a run is bounded; the next one goes on', async () => {
  const { seen, ports } = world(1_234);
  const counts = [];
  for (let run = 0; run < 4; run += 1) counts.push((await applyRetention(config, ports, NOW)).erased);
  expect(counts).toEqual([500, 500, 234, 0]);
  expect(seen.retired.length).toBe(1_234);
});

it('B29: sessions that refuse, fail or are unknown keep no other from being erased', async () => {
  const { seen, ports } = world(300, (num) => {
    if (num % 3 === 0) return 'kept';
    if (num === 100) throw new Error('the object broke');
    return num === 200 ? 'unknown' : 'erased';
  });
  expect(await applyRetention(config, ports, NOW)).toEqual({ erased: 199 });
  expect(seen.forgotten).toEqual([200]);
  expect(seen.failed).toEqual([100]);
});

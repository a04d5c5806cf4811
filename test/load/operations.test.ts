/** Operations against the real Worker, small: everything is asked for, and counted as often as it was. */
import { expect, test } from 'vitest';
import { OPERATIONS } from '../../load/operations/rounds.ts';
import { operations } from '../../load/scenarios/operations.ts';
import { LoadError, type Figure } from '../../load/scenario.ts';
import { SCENARIO_OPTIONS } from '../support/scenario-options.ts';

const BOTS = 4;
const CLAIMED = ['list bots', 'bot status', 'launch', 'stop', 'send message', 'load history'];

const OPTIONS = { ...SCENARIO_OPTIONS, seconds: 2, users: BOTS };

test(
  'operations: each is done in every round, and stands beside what the reports say',
  { timeout: 120_000 },
  async () => {
    const { figures, gates, charts } = await operations.run(OPTIONS);
    const figure = (name: string, subject = `${BOTS} bots`): Figure | undefined =>
      figures.find((candidate) => candidate.name === name && candidate.subject === subject);

    expect(figure('rounds')?.value).toBeGreaterThanOrEqual(5);
    for (const operation of OPERATIONS) {
      const [p50, p95, p99] = [50, 95, 99].map((percent) => figure(`${operation} p${percent}`)?.value ?? 0);
      expect(p50, operation).toBeGreaterThan(0);
      expect(p95, operation).toBeGreaterThanOrEqual(p50 ?? Infinity);
      expect(p99, operation).toBeGreaterThanOrEqual(p95 ?? Infinity);
    }
    // "five times better on each of the six"
    for (const operation of CLAIMED) {
      const claim = figure(`${operation} p95`, 'reports')?.value ?? Number.NaN;
      expect(gates.find(({ name }) => name === `${BOTS} bots: ${operation} p95, ms`)?.limit).toBe(claim / 5);
    }
    expect(figure('calls/s')?.value).toBeGreaterThan(0);
    // Whoever talks is answered.
    expect(figure('messages sent')?.value).toBeGreaterThanOrEqual(1);
    expect(figure('messages answered')?.value).toBe(figure('messages sent')?.value);
    expect(figures.filter(({ value }) => Number.isNaN(value))).toEqual([]);
    expect(charts?.[0]?.series.map(({ name }) => name)).toEqual([`${BOTS} bots`, 'reports']);
  },
);

test('operations stops and launches bots: it is not run against a server that somebody else has', async () => {
  const elsewhere = operations.run({ ...OPTIONS, url: new URL('http://127.0.0.1:1') });
  await expect(elsewhere).rejects.toThrow(LoadError);
});

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { botFamilies } from '../../src/metrics/bot-metrics.ts';
import { readSnapshot, type BotSample } from '../../src/metrics/bot-sample.ts';
import { emptyStats } from '../../src/metrics/bot-stats.ts';
import { renderExposition } from '../../src/metrics/exposition.ts';
import { BUCKET_BOUNDS_MS } from '../../src/metrics/histogram.ts';
import { parseExposition, type ParsedFamily } from './parse-exposition.ts';
import { snapshotOf, statsOfTimes, statsWith } from './support.ts';

const NOW = 1_700_000_010_000;

function bot(id: string, change: Partial<BotSample> = {}): BotSample {
  return { id, model: 'm', state: 'running', updatedAt: NOW - 2_500, snapshot: snapshotOf(emptyStats()), ...change };
}

function scrape(bots: readonly BotSample[], change: { known?: number; leftOut?: number; unreadable?: number } = {}) {
  const families = botFamilies({ bots, known: bots.length, leftOut: 0, unreadable: 0, now: NOW, ...change });
  return parseExposition(renderExposition(families));
}

function valueOf(family: ParsedFamily | undefined, labels: Record<string, string>, name?: string): number | undefined {
  const isMeant = (sample: ParsedFamily['samples'][number]) =>
    (name === undefined || sample.name === name) &&
    Object.entries(labels).every(([label, value]) => sample.labels[label] === value);
  return family?.samples.find(isMeant)?.value;
}

describe('a scrape', () => {
  it('counts turns by outcome and code, tokens by type', () => {
    const stats = statsWith((s) => {
      s.replies = 7;
      s.stopped = 2;
      s.failed = { idle_timeout: 3, endpoint_busy: 1 };
      s.promptTokens = 1_000;
      s.answerTokens = 250;
    });
    const found = scrape([bot('a', { snapshot: snapshotOf(stats) })]);
    const turns = found.get('switchboard_turns_total');
    expect(turns?.type).toBe('counter');
    expect(valueOf(turns, { bot: 'a', outcome: 'reply', code: '' })).toBe(7);
    expect(valueOf(turns, { bot: 'a', outcome: 'stopped' })).toBe(2);
    expect(valueOf(turns, { bot: 'a', outcome: 'failed', code: 'idle_timeout' })).toBe(3);
    expect(valueOf(turns, { bot: 'a', outcome: 'failed', code: 'endpoint_busy' })).toBe(1);
    const tokens = found.get('switchboard_tokens_total');
    expect(valueOf(tokens, { bot: 'a', type: 'input' })).toBe(1_000);
    expect(valueOf(tokens, { bot: 'a', type: 'output' })).toBe(250);
  });

  it('says times in seconds, in cumulative buckets that end at the count', () => {
    const times = [0.4, 3, 3, 480, 900_000];
    const found = scrape([bot('a', { snapshot: snapshotOf(statsOfTimes(times)) })]);
    for (const name of ['first_token', 'duration', 'overhead', 'wait'].map(
      (part) => `switchboard_turn_${part}_seconds`,
    )) {
      const family = found.get(name);
      expect(family?.type).toBe('histogram');
      const buckets = family?.samples.filter((sample) => sample.name === `${name}_bucket`) ?? [];
      expect(buckets.map(({ labels }) => Number(labels['le']?.replace('+Inf', 'Infinity')))).toEqual([
        ...BUCKET_BOUNDS_MS.map((ms) => ms / 1_000),
        Number.POSITIVE_INFINITY,
      ]);
      expect(valueOf(family, { le: '0.001' })).toBe(1);
      expect(valueOf(family, { le: '0.005' })).toBe(3);
      expect(valueOf(family, { le: '0.5' })).toBe(4);
      expect(valueOf(family, { le: '600' })).toBe(4);
      expect(valueOf(family, { le: '+Inf' })).toBe(5);
      expect(valueOf(family, {}, `${name}_count`)).toBe(5);
      expect(valueOf(family, {}, `${name}_sum`)).toBeCloseTo(times.reduce((a, b) => a + b) / 1_000, 9);
    }
  });

  it('holds for all times: buckets never fall, +Inf is the count, the sum is within what the buckets allow', () => {
    fc.assert(
      fc.property(fc.array(fc.double({ min: 0, max: 2_000_000, noNaN: true }), { maxLength: 60 }), (times) => {
        const family = scrape([bot('a', { snapshot: snapshotOf(statsOfTimes(times)) })]).get(
          'switchboard_turn_duration_seconds',
        );
        const buckets = family?.samples.filter(({ name }) => name.endsWith('_bucket')).map(({ value }) => value) ?? [];
        expect(buckets).toEqual(buckets.toSorted((a, b) => a - b));
        expect(buckets.at(-1)).toBe(times.length);
        expect(valueOf(family, {}, 'switchboard_turn_duration_seconds_count')).toBe(times.length);
        const sum = valueOf(family, {}, 'switchboard_turn_duration_seconds_sum') ?? Number.NaN;
        const least = buckets.reduce((total, value, i) => {
          const own = value - (buckets[i - 1] ?? 0);
          return total + (own * (BUCKET_BOUNDS_MS[i - 1] ?? 0)) / 1_000;
        }, 0);
        expect(sum).toBeGreaterThanOrEqual(least * (1 - 1e-9));
      }),
      { numRuns: 100 },
    );
  });

  it('shows one state of a bot and of its breaker as 1, the others as 0', () => {
    const found = scrape([bot('a', { state: 'degraded', snapshot: snapshotOf(emptyStats(), { breaker: 'open' }) })]);
    const states = found.get('switchboard_bot_state')?.samples ?? [];
    expect(states).toHaveLength(5);
    expect(states.filter(({ value }) => value === 1).map(({ labels }) => labels['state'])).toEqual(['degraded']);
    const breaker = found.get('switchboard_breaker_state')?.samples ?? [];
    expect(breaker.filter(({ value }) => value === 1).map(({ labels }) => labels['state'])).toEqual(['open']);
  });

  it('has slots and places in the line only for bots that have them', () => {
    const limited = snapshotOf(emptyStats(), { slots: 4, queueLimit: 100 });
    const found = scrape([bot('free'), bot('limited', { snapshot: limited })]);
    expect(found.get('switchboard_slots')?.samples).toEqual([
      { name: 'switchboard_slots', labels: { bot: 'limited' }, value: 4 },
    ]);
    expect(valueOf(found.get('switchboard_line_limit'), { bot: 'limited' })).toBe(100);
    expect(scrape([bot('free')]).has('switchboard_slots')).toBe(false);
  });

  it('says how old the snapshots are, what is left out, and which alerts fire', () => {
    const alerts = [{ rule: 'errors', severity: 'critical' }];
    const found = scrape([bot('a', { snapshot: snapshotOf(emptyStats(), { alerts }) })], { known: 9, leftOut: 8 });
    expect(valueOf(found.get('switchboard_bot_snapshot_age_seconds'), { bot: 'a' })).toBe(2.5);
    expect(valueOf(found.get('switchboard_bots'), {})).toBe(9);
    expect(valueOf(found.get('switchboard_bots_left_out'), {})).toBe(8);
    expect(valueOf(found.get('switchboard_alerts_firing'), { bot: 'a', rule: 'errors', severity: 'critical' })).toBe(1);
    expect(valueOf(found.get('switchboard_outbox_lag_seconds'), { bot: 'a' })).toBe(0);
  });

  it('escapes whatever a label holds', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: 'binary', maxLength: 30 }),
        fc.string({ unit: 'binary', maxLength: 30 }),
        (model, code) => {
          const stats = statsWith((s) => Object.assign(s.failed, { [`x${code}`]: 1 }));
          const found = scrape([bot('a', { model, snapshot: snapshotOf(stats) })]);
          const shown = (text: string) => text.toWellFormed().replaceAll('\r', ' ');
          expect(found.get('switchboard_bot_info')?.samples[0]?.labels['model']).toBe(shown(model));
          expect(valueOf(found.get('switchboard_turns_total'), { code: shown(`x${code}`) })).toBe(1);
        },
      ),
      { numRuns: 200, examples: [['a"b\\c\nd', '"} 1\nevil 2']] },
    );
  });

  it('keeps the samples of a metric together, whatever the number of bots', () => {
    expect(() => scrape(Array.from({ length: 30 }, (_, i) => bot(`bot-${i}`)))).not.toThrow();
  });
});

describe('a snapshot', () => {
  it('is read as it was written', () => {
    const snapshot = snapshotOf(statsOfTimes([5]), { slots: 2, alerts: [{ rule: 'errors', severity: 'warning' }] });
    expect(readSnapshot(JSON.stringify(snapshot))).toEqual(snapshot);
  });

  it.each([
    ['no JSON', '{'],
    ['nothing', 'null'],
    ['other buckets', JSON.stringify(snapshotOf({ ...emptyStats(), total: { counts: [1], sumMs: 0 } }))],
    ['a negative count', JSON.stringify(snapshotOf({ ...emptyStats(), replies: -1 }))],
  ])('is null for %s', (_, json) => {
    expect(readSnapshot(json)).toBeNull();
  });
});

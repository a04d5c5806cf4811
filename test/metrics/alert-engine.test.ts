import { describe, expect, it } from 'vitest';
import {
  EVALUATE_EVERY_MS,
  evaluateAlerts,
  firingAlerts,
  firstAlertState,
  resolveAll,
  type AlertState,
} from '../../src/metrics/alert-engine.ts';
import type { Measured } from '../../src/metrics/alert-measures.ts';
import {
  ALERT_RULES,
  LONGEST_WINDOW_MS,
  MIN_ERRORS,
  MIN_TIMES,
  MIN_TURNS,
  type AlertView,
} from '../../src/metrics/alert-rules.ts';
import { emptyStats, type BotStats } from '../../src/metrics/bot-stats.ts';
import { observe } from '../../src/metrics/histogram.ts';
import { measured } from './support.ts';

const START = 1_700_000_000_000;
const MINUTE_MS = 60_000;

/** A bot over time: evaluated every ten seconds as its object does, and counted into as turns end. */
class Watched {
  now = START;
  readonly stats: BotStats = emptyStats();
  state: AlertState = firstAlertState(this.stats, START);
  fired: AlertView[] = [];
  resolved: AlertView[] = [];
  againMs: number | null = null;

  look(change: Partial<Measured> = {}): void {
    const result = evaluateAlerts(this.state, 'a', measured({ stats: this.stats, ...change }), this.now);
    // What is kept survives as JSON.
    this.state = JSON.parse(JSON.stringify(result.state)) as AlertState;
    this.fired.push(...result.fired);
    this.resolved.push(...result.resolved);
    this.againMs = result.againMs;
  }

  pass(ms: number, change: Partial<Measured> = {}, each: () => void = () => {}): void {
    const until = this.now + ms;
    while (this.now < until) {
      this.now += EVALUATE_EVERY_MS;
      each();
      this.look(change);
    }
  }

  turns(count: number, overheadMs: number, failed = 0): void {
    for (let i = 0; i < count; i++) observe(this.stats.overhead, overheadMs);
    this.stats.replies += count - failed;
    this.stats.failed.endpoint_error = (this.stats.failed.endpoint_error ?? 0) + failed;
  }

  get firing(): string[] {
    return firingAlerts(this.state, 'a').map(({ rule, severity }) => `${rule} ${severity}`);
  }
}

describe('rules', () => {
  it('are the ones the reports ask for', () => {
    const of = (name: string) =>
      ALERT_RULES.filter((rule) => rule.name === name).map(({ severity, threshold }) => [severity, threshold]);
    expect(of('slow_p95')).toEqual([
      ['warning', 500],
      ['critical', 750],
    ]);
    expect(of('errors')).toEqual([
      ['warning', 0.01],
      ['critical', 0.05],
    ]);
    expect(of('slots_nearly_used')).toEqual([['warning', 0.7]]);
    expect(of('connections_many')).toEqual([['warning', 0.7]]);
    expect(new Set(ALERT_RULES.map(({ name, severity }) => `${name} ${severity}`)).size).toBe(ALERT_RULES.length);
  });
});

describe('evaluation', () => {
  it('fires nothing for a bot that is well, and asks for no further look', () => {
    const bot = new Watched();
    bot.pass(10 * MINUTE_MS, { running: 2, slots: 4, queueLimit: 100, connections: 50 }, () => bot.turns(20, 40));
    expect([bot.fired, bot.resolved, bot.againMs]).toEqual([[], [], null]);
  });

  it.each([
    [400, []],
    [600, ['slow_p95 warning']],
    [900, ['slow_p95 warning', 'slow_p95 critical']],
  ])('p95 of %i ms over the model fires %j', (overheadMs, expected) => {
    const bot = new Watched();
    bot.pass(MINUTE_MS, {}, () => bot.turns(10, overheadMs));
    expect(bot.firing).toEqual(expected);
  });

  it('looks at the twentieth, not at the slowest: one slow turn in 40 is none, three are', () => {
    const few = new Watched();
    few.pass(MINUTE_MS, {}, () => {
      few.turns(39, 20);
      few.turns(1, 2_000);
    });
    expect(few.firing).toEqual([]);
    const many = new Watched();
    many.pass(MINUTE_MS, {}, () => {
      many.turns(37, 20);
      many.turns(3, 2_000);
    });
    expect(many.firing).toEqual(['slow_p95 warning', 'slow_p95 critical']);
  });

  it('waits before a slow bot is reported, so that one bad moment is not', () => {
    const bot = new Watched();
    bot.turns(MIN_TIMES, 600);
    bot.look();
    expect(bot.firing).toEqual([]);
    bot.pass(20_000);
    expect(bot.firing).toEqual([]);
    bot.pass(10_000);
    expect(bot.firing).toEqual(['slow_p95 warning']);
    expect(bot.fired).toEqual([
      expect.objectContaining({ rule: 'slow_p95', bot: 'a', threshold: 500, startedAt: START, resolvedAt: null }),
    ]);
  });

  it.each([
    [1_000, 10, []],
    [1_000, 11, ['errors warning']],
    [1_000, 50, ['errors warning']],
    [1_000, 51, ['errors warning', 'errors critical']],
    // One or two failures, or a few turns in all, are a share that says nothing.
    [100, MIN_ERRORS - 1, []],
    [MIN_TURNS - 1, 5, []],
    [MIN_TURNS, MIN_ERRORS, ['errors warning', 'errors critical']],
  ])('%i turns with %i failures fire %j', (turns, failures, expected) => {
    const bot = new Watched();
    bot.turns(turns, 10, failures);
    bot.pass(EVALUATE_EVERY_MS);
    expect(bot.firing).toEqual(expected);
  });

  it('does not count as errors what an operator wanted', () => {
    const bot = new Watched();
    bot.turns(50, 10);
    bot.stats.failed.bot_stopped = 30;
    bot.stats.failed.budget_exhausted = 30;
    bot.pass(EVALUATE_EVERY_MS);
    expect(bot.firing).toEqual([]);
  });

  it('forgets errors that are older than the window, and resolves only after a while of being well', () => {
    const bot = new Watched();
    bot.turns(100, 10, 100);
    bot.pass(EVALUATE_EVERY_MS);
    expect(bot.firing).toHaveLength(2);
    expect(bot.againMs).toBe(EVALUATE_EVERY_MS);
    bot.pass(5 * MINUTE_MS);
    expect(bot.firing).toHaveLength(2);
    bot.pass(2 * MINUTE_MS + 20_000);
    expect(bot.firing).toEqual([]);
    expect(bot.resolved.map(({ rule, severity, value }) => [rule, severity, value])).toEqual([
      ['errors', 'warning', 1],
      ['errors', 'critical', 1],
    ]);
    expect(
      bot.resolved.every(({ resolvedAt, startedAt }) => resolvedAt === bot.now || (resolvedAt ?? 0) > startedAt),
    ).toBe(true);
    expect(bot.againMs).toBeNull();
  });

  it('is one alert however often the rule is broken again before it is resolved', () => {
    const bot = new Watched();
    for (let i = 0; i < 12; i++)
      bot.pass(30_000, { state: i % 2 === 0 ? 'running' : 'running', slots: 10, running: 8 });
    expect(bot.firing).toEqual(['slots_nearly_used warning']);
    for (let i = 0; i < 10; i++) {
      bot.pass(MINUTE_MS, { slots: 10, running: 1 });
      bot.pass(EVALUATE_EVERY_MS, { slots: 10, running: 9 });
    }
    expect([bot.fired.length, bot.resolved.length]).toEqual([1, 0]);
  });

  it('keeps the worst value', () => {
    const bot = new Watched();
    bot.pass(2 * MINUTE_MS, { stats: { ...bot.stats, undeliveredMs: 90_000 } });
    bot.pass(EVALUATE_EVERY_MS, { stats: { ...bot.stats, undeliveredMs: 300_000 } });
    bot.pass(2 * MINUTE_MS);
    expect(bot.resolved).toEqual([
      expect.objectContaining({ rule: 'outbox_lag', severity: 'warning', value: 300_000 }),
    ]);
  });

  it.each<[string, Partial<Measured>, number, string]>([
    ['four fifths of the line', { queueLimit: 100, queued: 81, running: 1 }, 40_000, 'line_nearly_full warning'],
    ['a line that nobody leaves', { queued: 1, running: 0 }, 130_000, 'line_stuck critical'],
    ['an endpoint down for a minute', { state: 'degraded', queued: 5 }, 70_000, 'endpoint_down critical'],
    ['more than 70 % of the slots', { slots: 10, running: 8 }, 310_000, 'slots_nearly_used warning'],
    ['more than 70 % of the connections', { connections: 701 }, 70_000, 'connections_many warning'],
  ])('%s fires once it lasts', (_, change, forMs, expected) => {
    const bot = new Watched();
    bot.look(change);
    bot.pass(forMs - 20_000, change);
    expect(bot.firing).toEqual([]);
    bot.pass(20_000, change);
    expect(bot.firing).toEqual([expected]);
  });

  it.each<Partial<Measured>>([
    { queueLimit: 100, queued: 80, running: 1 },
    { state: 'paused', queued: 10 },
    { state: 'stopped', queued: 10 },
    { queued: 10, running: 1 },
    { slots: 10, running: 7 },
    { connections: 700 },
  ])('%j is no alert', (change) => {
    const bot = new Watched();
    bot.pass(10 * MINUTE_MS, change);
    expect(bot.fired).toEqual([]);
  });

  it('counts restarts and silent closes within the window', () => {
    const bot = new Watched();
    bot.stats.restarts = 6;
    bot.stats.silentCloses = 12;
    bot.pass(EVALUATE_EVERY_MS, { connections: 100 });
    expect(bot.firing).toEqual(['restarts warning', 'disconnects warning']);
    const calm = new Watched();
    calm.pass(30 * MINUTE_MS, { connections: 100 }, () => {
      if (calm.now % (2 * MINUTE_MS) === 0) calm.stats.silentCloses += 3;
    });
    expect(calm.fired).toEqual([]);
  });

  it('takes the past of a counter for no news: neither a bot that counted before, nor one that lost its counts', () => {
    const old = new Watched();
    old.turns(1_000, 900, 500);
    old.state = firstAlertState(old.stats, START);
    old.pass(MINUTE_MS);
    expect(old.fired).toEqual([]);
    old.stats.failed.endpoint_error = 490;
    old.stats.replies = 480;
    old.pass(MINUTE_MS);
    expect(old.fired).toEqual([]);
  });

  it('begins the time anew after a gap in which nobody looked', () => {
    const bot = new Watched();
    bot.look({ state: 'degraded' });
    bot.now += 60 * MINUTE_MS;
    bot.look({ state: 'degraded' });
    expect(bot.firing).toEqual([]);
    bot.pass(MINUTE_MS, { state: 'degraded' });
    expect(bot.firing).toEqual(['endpoint_down critical']);
  });

  it('keeps no more than the window needs, however often it is called', () => {
    const bot = new Watched();
    for (let i = 0; i < 5_000; i++) {
      bot.now += 1_000;
      bot.look();
    }
    expect(bot.state.window.length).toBeLessThan(LONGEST_WINDOW_MS / 9_000 + 3);
    expect(JSON.stringify(bot.state).length).toBeLessThan(16_000);
  });

  it('resolves what a rule that is gone has fired, and everything when the bot is deleted', () => {
    const bot = new Watched();
    bot.turns(100, 10, 100);
    bot.pass(EVALUATE_EVERY_MS);
    const without = ALERT_RULES.filter(({ severity }) => severity !== 'warning');
    const result = evaluateAlerts(bot.state, 'a', measured({ stats: bot.stats }), bot.now + 1, without);
    expect(result.resolved.map(({ severity }) => severity)).toEqual(['warning']);
    const end = resolveAll(bot.state, 'a', bot.now + 1);
    expect(end.resolved.map(({ resolvedAt }) => resolvedAt)).toEqual([bot.now + 1, bot.now + 1]);
    expect(firingAlerts(end.state, 'a')).toEqual([]);
  });
});

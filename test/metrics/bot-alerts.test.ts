import { describe, expect, it } from 'vitest';
import type { Measured } from '../../src/metrics/alert-measures.ts';
import type { AlertView } from '../../src/metrics/alert-rules.ts';
import type { AlertDelivery } from '../../src/metrics/alert-webhook.ts';
import { emptyStats } from '../../src/metrics/bot-stats.ts';
import { BotAlerts } from '../../src/objects/bot-alerts.ts';
import { measured } from './support.ts';

const START = 1_700_000_000_000;

async function settle(): Promise<void> {
  for (let round = 0; round < 20; round += 1) await Promise.resolve();
}

/** A bot's object as far as alerts know it: its clock, its storage, D1 and a webhook that may be down. */
class Bot {
  now = START;
  is: Partial<Measured> = {};
  stats = emptyStats();
  stored: unknown = null;
  d1Down = false;
  webhook: AlertDelivery = { delivered: true, status: 200 };
  readonly recorded: AlertView[] = [];
  /** How many were written to D1 at once, and when. */
  readonly batches: { size: number; at: number }[] = [];
  readonly sent: AlertView[] = [];
  readonly lines: string[] = [];
  due = 0;
  alerts = this.boot();

  boot(): BotAlerts {
    const source = {
      id: () => 'a',
      stats: () => this.stats,
      measured: () => measured({ stats: this.stats, ...this.is }),
    };
    return new BotAlerts(source, {
      now: () => this.now,
      setTimer: () => () => undefined,
      load: () => this.stored,
      save: (kept) => void (this.stored = JSON.parse(JSON.stringify(kept))),
      record: async (alerts) => {
        if (this.d1Down) throw new Error('D1_ERROR: down');
        this.recorded.push(...alerts);
        this.batches.push({ size: alerts.length, at: this.now });
      },
      deliver: async (alert) => {
        this.sent.push(alert);
        return this.webhook;
      },
      onDue: () => void (this.due += 1),
      report: (event) => void this.lines.push(event),
      note: (event) => void this.lines.push(event),
    });
  }

  /** As the alarm does it: goes from one thing that is due to the next. */
  async pass(ms: number): Promise<void> {
    const until = this.now + ms;
    for (;;) {
      const next = this.alerts.nextAt();
      if (next === null || next > until) break;
      this.now = Math.max(next, this.now + 20);
      this.alerts.step(this.now);
      await settle();
    }
    this.now = until;
  }

  fail(turns: number): void {
    this.stats.failed.endpoint_error = (this.stats.failed.endpoint_error ?? 0) + turns;
    this.alerts.counted();
  }
}

describe("a bot's alerts", () => {
  it('sleeps while nothing happens', () => {
    expect(new Bot().alerts.nextAt()).toBeNull();
  });

  it('fires within ten seconds, is written and sent, and is resolved without anybody asking', async () => {
    const bot = new Bot();
    bot.fail(50);
    await bot.pass(10_000);
    expect(bot.alerts.firing.map(({ severity }) => severity)).toEqual(['warning', 'critical']);
    expect(bot.sent).toEqual(bot.recorded);
    expect(bot.sent.map(({ rule, resolvedAt }) => [rule, resolvedAt])).toEqual([
      ['errors', null],
      ['errors', null],
    ]);
    await bot.pass(8 * 60_000);
    expect(bot.alerts.firing).toEqual([]);
    expect(bot.sent.slice(2).every(({ resolvedAt }) => resolvedAt !== null)).toBe(true);
    expect([bot.sent.length, bot.recorded.length]).toEqual([4, 4]);
    expect(bot.alerts.nextAt()).toBeNull();
    expect(bot.lines).toEqual(['alert_fired', 'alert_fired', 'alert_resolved', 'alert_resolved']);
  });

  it('tries again while the webhook is down, and is done once it is back: nothing doubled, the beginning first', async () => {
    const bot = new Bot();
    bot.webhook = { delivered: false, reason: 'HTTP 500' };
    bot.fail(50);
    await bot.pass(60_000);
    const tries = bot.sent.length;
    expect(tries).toBeGreaterThan(4);
    expect(tries).toBeLessThan(12);
    bot.webhook = { delivered: true, status: 200 };
    await bot.pass(60_000);
    expect(bot.sent.slice(tries).map(({ severity }) => severity)).toEqual(['warning', 'critical']);
    expect(bot.recorded).toHaveLength(2);
  });

  it('sends no end before its beginning: a receiver would keep an incident that is over', async () => {
    const bot = new Bot();
    bot.webhook = { delivered: false, reason: 'HTTP 500' };
    bot.fail(50);
    // It ends after some seven minutes, while its beginning waits for its seventh try, after ten.
    await bot.pass(9 * 60_000);
    expect(bot.alerts.firing).toEqual([]);
    expect(bot.sent.filter(({ resolvedAt }) => resolvedAt !== null)).toEqual([]);
    const tries = bot.sent.length;
    bot.webhook = { delivered: true, status: 200 };
    await bot.pass(15 * 60_000);
    const phases = bot.sent.slice(tries).map(({ severity, resolvedAt }) => [severity, resolvedAt !== null]);
    expect(phases.filter(([severity]) => severity === 'warning')).toEqual([
      ['warning', false],
      ['warning', true],
    ]);
    expect(phases.filter(([severity]) => severity === 'critical')).toEqual([
      ['critical', false],
      ['critical', true],
    ]);
    expect(bot.alerts.nextAt()).toBeNull();
  });

  it('gives up a webhook that stays down', async () => {
    const bot = new Bot();
    bot.webhook = { delivered: false, reason: 'unreachable' };
    bot.fail(50);
    await bot.pass(4 * 60 * 60_000);
    expect(bot.lines.filter((event) => event === 'alert_given_up')).toHaveLength(4);
    expect(bot.alerts.nextAt()).toBeNull();
  });

  it('writes to D1 once that is back', async () => {
    const bot = new Bot();
    bot.d1Down = true;
    bot.fail(50);
    await bot.pass(120_000);
    expect(bot.recorded).toEqual([]);
    expect(bot.sent).toHaveLength(2);
    bot.d1Down = false;
    await bot.pass(120_000);
    expect(bot.recorded.map(({ severity }) => severity)).toEqual(['warning', 'critical']);
  });

  it('B23: writes many to D1 in several alarms: each is a statement, and D1 counts those of an invocation', async () => {
    const bot = new Bot();
    bot.d1Down = true;
    bot.fail(50);
    await bot.pass(20_000);
    const [alert] = bot.alerts.firing;
    const many = Array.from({ length: 45 }, (_, index) => ({ ...alert, startedAt: START + index }));
    bot.stored = { ...(bot.stored as object), unrecorded: many };
    bot.d1Down = false;
    bot.alerts = bot.boot();
    await bot.pass(60_000);
    expect(bot.recorded).toEqual(many);
    expect(bot.batches.map(({ size }) => size)).toEqual([20, 20, 5]);
    const [first, second, third] = bot.batches.map(({ at }) => at);
    // An alarm's handler stays for what is due within two seconds.
    expect(Math.min((second ?? 0) - (first ?? 0), (third ?? 0) - (second ?? 0))).toBeGreaterThan(2_000);
  });

  it('goes on in another process where it was: still firing, what waited is sent, nothing is fired twice', async () => {
    const bot = new Bot();
    bot.webhook = { delivered: false, reason: 'HTTP 503' };
    bot.fail(50);
    await bot.pass(12_000);
    bot.alerts = bot.boot();
    expect(bot.alerts.firing).toHaveLength(2);
    bot.webhook = { delivered: true, status: 200 };
    const before = bot.sent.length;
    await bot.pass(9 * 60_000);
    expect(bot.sent.slice(before).map(({ resolvedAt }) => resolvedAt === null)).toEqual([true, true, false, false]);
    expect(bot.lines.filter((event) => event === 'alert_fired')).toHaveLength(2);
  });

  it('takes storage that it cannot read for none', () => {
    const bot = new Bot();
    bot.stored = { state: 'of another version' };
    bot.stats.failed.endpoint_error = 1_000;
    bot.alerts = bot.boot();
    expect(bot.alerts.firing).toEqual([]);
  });

  it('ends what fires when the bot is deleted', async () => {
    const bot = new Bot();
    bot.fail(50);
    await bot.pass(10_000);
    bot.alerts.end();
    expect(bot.alerts.firing).toEqual([]);
    await bot.pass(1_000);
    expect(bot.recorded.slice(2).map(({ resolvedAt }) => resolvedAt !== null)).toEqual([true, true]);
    expect(bot.alerts.nextAt()).toBeNull();
  });
});

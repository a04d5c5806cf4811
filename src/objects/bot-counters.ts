/** What a bot counts, and what it remembers of its last failure. Kept as one row, now and then. */
import * as z from 'zod/mini';
import { tokensAfter, TurnRate, type TokenDay } from '../bots/budget.ts';
import { emptyStats, type BotStats } from '../metrics/bot-stats.ts';
import { count, storedStats } from '../metrics/bot-sample.ts';
import { observe } from '../metrics/histogram.ts';
import { TURN_ERRORS } from '../protocol/codes.ts';
import type { BotStatus, SessionReport, TurnReport } from './bot-rpc.ts';

const turnError = z.enum(TURN_ERRORS);
const kept = z.object({
  stats: z.object({ ...storedStats, failed: z.partialRecord(turnError, count) }),
  lastError: z.nullable(
    z.object({ code: turnError, message: z.string(), at: z.number(), session: z.string(), turn: z.number() }),
  ),
  tokens: z.object({ day: z.number(), used: z.number() }),
  // Absent in what an older version kept.
  minute: z.optional(z.object({ slice: z.int(), counts: z.array(count) })),
});

/** How long a session counts as behind that is not heard of again: longer than what runs or waits is silent. */
const BEHIND_MS = 60_000;
/** Sessions that are known to be behind: those that are most. */
const MAX_BEHIND = 64;

export class BotCounters {
  readonly stats: BotStats;
  /** Sessions with records that D1 does not have: how old those are (ms), and when that was said. */
  readonly #behind = new Map<string, { ms: number; at: number }>();
  lastError: BotStatus['lastError'];
  tokens: TokenDay;
  readonly rate: TurnRate;

  /** `stored`: as `kept` gave it before `now`; anything else (another version's) begins anew. */
  constructor(stored: unknown, now: number) {
    const result = kept.safeParse(stored);
    this.stats = result.success ? result.data.stats : emptyStats();
    this.lastError = result.success ? result.data.lastError : null;
    this.tokens = result.success ? result.data.tokens : { day: 0, used: 0 };
    this.rate = new TurnRate(result.data?.minute, now);
  }

  kept(): z.infer<typeof kept> {
    const { stats, lastError, tokens, rate } = this;
    return { stats, lastError, tokens, minute: rate.kept() };
  }

  /** What every call says. True when anything was counted. */
  heard(report: SessionReport, now: number): boolean {
    const { stats } = this;
    const { rowsWritten, restarts, silentCloses } = report;
    const undeliveredMs = this.#mostBehind(report, now);
    const moved = rowsWritten + restarts + silentCloses > 0 || stats.undeliveredMs !== undeliveredMs;
    stats.rowsWritten += rowsWritten;
    stats.restarts += restarts;
    stats.silentCloses += silentCloses;
    stats.undeliveredMs = undeliveredMs;
    return moved;
  }

  /** How far the session is behind that is most, of all that were heard of lately. */
  #mostBehind({ session, undeliveredMs }: SessionReport, now: number): number {
    this.#behind.delete(session);
    if (undeliveredMs > 0) this.#behind.set(session, { ms: undeliveredMs, at: now });
    let least = { session, ms: Infinity };
    let mostMs = 0;
    for (const [other, { ms, at }] of this.#behind) {
      if (now - at > BEHIND_MS) {
        this.#behind.delete(other);
        continue;
      }
      mostMs = Math.max(mostMs, ms);
      if (ms < least.ms) least = { session: other, ms };
    }
    if (this.#behind.size > MAX_BEHIND) this.#behind.delete(least.session);
    return mostMs;
  }

  ended(report: TurnReport, session: string, now: number): void {
    const { stats } = this;
    const { outcome, code, promptTokens, answerTokens } = report;
    if (outcome === 'reply') stats.replies += 1;
    else if (outcome === 'stopped') stats.stopped += 1;
    else if (code !== undefined) this.failed(code, report.message ?? '', { session, turn: report.turn }, now);
    stats.promptTokens += promptTokens;
    stats.answerTokens += answerTokens;
    if (promptTokens + answerTokens > 0) this.tokens = tokensAfter(this.tokens, promptTokens + answerTokens, now);
    observe(stats.waited, report.waitedMs);
    if (report.firstTokenMs > 0) observe(stats.firstToken, report.firstTokenMs);
    if (report.totalMs > 0) observe(stats.total, report.totalMs);
    if (report.overheadMs !== null) observe(stats.overhead, Math.max(0, report.overheadMs));
  }

  failed(
    code: NonNullable<TurnReport['code']>,
    message: string,
    { session, turn }: { session: string; turn: number },
    now: number,
  ): void {
    this.stats.failed[code] = (this.stats.failed[code] ?? 0) + 1;
    this.lastError = { code, message, at: now, session, turn };
  }
}

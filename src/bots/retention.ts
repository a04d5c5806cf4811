/** Erases sessions of bots that keep them only for some days. Runs by the clock; what it does not come to, the next run does. */
import type { Config } from '../env.ts';
import type { QuietSession } from '../history/retention.ts';

const DAY_MS = 24 * 60 * 60_000;
/** Sessions erased by one run: each is a call to its object and some batches of D1. */
const MAX_ERASED = 500;
/** Sessions looked at, the refusing ones included. */
const MAX_ASKED = 2_000;
const PAGE = 100;
const AT_ONCE = 8;

/**
 * - `erased`: nothing of it is left, or soon will be
 * - `kept`: something was said meanwhile, or it has another bot by now
 * - `unknown`: the object knows of no such session; what D1 has of it is a remainder
 */
export type Retired = 'erased' | 'kept' | 'unknown';

export interface RetentionPorts {
  /** See history/retention.ts. */
  storedRetention(): Promise<{ bot: string; days: number | null }[]>;
  quietSessions(
    rules: readonly { bot: string; before: number }[],
    page: { after: number; limit: number },
  ): Promise<QuietSession[]>;
  /** The session's own object decides: it knows what D1 does not know yet. */
  retire(session: QuietSession): Promise<Retired>;
  /** Erases from D1 what no object knows of. */
  forget(session: QuietSession): Promise<void>;
  /** A session that could not be erased this time. */
  onFailure(session: QuietSession, error: unknown): void;
}

/** Returns how many sessions were erased. @throws what D1 throws: the next run tries again */
export async function applyRetention(config: Config, ports: RetentionPorts, now: number): Promise<{ erased: number }> {
  const rules = await rulesOf(config, ports, now);
  if (rules.length === 0) return { erased: 0 };
  let erased = 0;
  let after = 0;
  for (let asked = 0; erased < MAX_ERASED && asked < MAX_ASKED; asked += PAGE) {
    const page = await ports.quietSessions(rules, { after, limit: PAGE });
    for (let at = 0; at < page.length; at += AT_ONCE) {
      const results = await Promise.all(page.slice(at, at + AT_ONCE).map((session) => retireOne(session, ports)));
      erased += results.filter(Boolean).length;
    }
    const last = page.at(-1);
    if (!last || page.length < PAGE) break;
    after = last.num;
  }
  return { erased };
}

/** What an operator said of a configured bot comes before configuration. */
async function rulesOf(config: Config, ports: RetentionPorts, now: number): Promise<{ bot: string; before: number }[]> {
  const days = new Map<string, number | null>(config.bots.map(({ spec }) => [spec.id, spec.retentionDays ?? null]));
  for (const stored of await ports.storedRetention()) days.set(stored.bot, stored.days);
  return [...days].flatMap(([bot, kept]) => (kept === null ? [] : [{ bot, before: now - kept * DAY_MS }]));
}

/** One session that fails keeps no other from being erased. */
async function retireOne(session: QuietSession, ports: RetentionPorts): Promise<boolean> {
  try {
    const result = await ports.retire(session);
    if (result === 'unknown') await ports.forget(session);
    return result !== 'kept';
  } catch (error) {
    ports.onFailure(session, error);
    return false;
  }
}

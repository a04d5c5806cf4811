/** What the bots of a run are allowed, by chance. */
import type { Limits } from './bot.ts';
import { ALL_BOTS, OWN_BOT } from './bot-names.ts';
import type { SimBots } from './bots.ts';
import type { Chance } from './chance.ts';

/** What a run's bots are allowed. */
export function chooseBots(bots: SimBots, chance: Chance): void {
  bots.free = chance.is(0.35);
  if (bots.free) return;
  bots.sharing = chance.is(0.5);
  const limits: Record<string, Limits> = {};
  for (const id of ALL_BOTS) {
    const kind = chance.next();
    if (kind < (id === OWN_BOT ? 0.35 : 0.6)) continue;
    limits[id] = limitsBy(chance);
    if (kind > 0.92) bots.shifty.add(id);
  }
  bots.limits = limits;
  for (const id of ALL_BOTS) {
    if (limits[id]?.concurrency === undefined || !chance.is(0.6)) continue;
    for (let count = chance.between(1, 3); count > 0; count -= 1) bots.addRival(id, chance.between(1, 4));
  }
}

/** Some limits, so tight that small histories meet them. */
export function limitsBy(chance: Chance): Limits {
  const limits: Limits = {};
  if (chance.is(0.85)) limits.concurrency = chance.pick([1, 1, 2]);
  if (chance.is(0.15)) limits.queueLength = chance.pick([0, 1]);
  if (chance.is(0.15)) limits.queueTimeoutMs = chance.pick([1_000, 5_000]);
  if (chance.is(0.1)) limits.turnsPerMinute = chance.between(1, 4);
  if (chance.is(0.08)) limits.tokensPerDay = chance.between(2, 8);
  if (chance.is(0.3)) limits.graceMs = chance.pick([0, 500]);
  return limits;
}

/** Reads of the bots' table for tests that have no D1. */
import type { ListingPorts } from '../../src/bots/listing.ts';
import type { ListedBot } from '../../src/history/bots.ts';

/** @param alive every row by id; throws while D1 is down */
export function readBotsOf(alive: () => ListedBot[]): ListingPorts['readBots'] {
  return async ({ ids, except, after, limit }) => {
    const rows = alive();
    return {
      named: rows.filter(({ id }) => ids.includes(id)),
      others: rows.filter(({ id }) => id > after && !except.includes(id)).slice(0, limit),
    };
  };
}

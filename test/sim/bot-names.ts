/** The bots that there are in a run, and how their calls may go wrong. */
import type { BotRef } from '../../src/protocol/values.ts';

/** The bot that every session begins with, and those that messages may name. */
export const OWN_BOT = 'b0';
export const ALL_BOTS = [OWN_BOT, 'helper', 'writer'];
export function refOf(id: string): BotRef {
  return { id, name: id, model: 'm' };
}

/** How likely each fault is. */
export interface BotFaults {
  /** A call goes wrong on its way. */
  call: number;
  /** A bot says what it has no reason to say. */
  caprice: number;
  /** A wake is lost. */
  wake: number;
  /** It cannot be found out whether there is a bot. */
  lookup: number;
  /** Of those, how many are never answered at all. */
  lookupLost: number;
}
export const NO_BOT_FAULTS: BotFaults = { call: 0, caprice: 0, wake: 0, lookup: 0, lookupLost: 0 };

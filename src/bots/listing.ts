/**
 * The list of bots, in pages: the configured ones in their order, then all others by id. Others are what
 * operators made (in D1) and the models of the endpoint. What D1 knows of a bot comes with it.
 */
import type { Config } from '../env.ts';
import type { BotRef } from '../protocol/values.ts';
import type { BotRows, ListedBot } from '../history/bots.ts';
import { modelAvailable, type BotDirectory, type EndpointState } from './directory.ts';
import { configuredBots, refOf } from './definition.ts';
import type { BotDefinition } from './definition.ts';

export interface ListedEntry {
  bot: BotRef;
  /** What its object wrote last; null where nobody did anything with it yet. */
  row: ListedBot | null;
  /** Whether the endpoint has its model; null where nobody can tell. */
  available: boolean | null;
}

export interface BotListPage {
  entries: ListedEntry[];
  /** Pass as `after` for the next page; null at the end. */
  next: string | null;
  endpoint: EndpointState;
  /** D1 answered: without it bots that operators made are missing, and states unknown. */
  complete: boolean;
}

export interface ListingPorts {
  directory: BotDirectory;
  /** Reads D1: the bots in `ids`, and `limit` of those not in `except`, by id after `after`. */
  readBots(page: { ids: string[]; except: string[]; after: string; limit: number }): Promise<BotRows>;
}

/** `after`: the id of the last bot before the page; empty for the first page. Never fails because of D1. */
export async function listPage(
  config: Config,
  { after, limit }: { after: string; limit: number },
  ports: ListingPorts,
): Promise<BotListPage> {
  const { bots, endpoint } = await ports.directory.list();
  const configured = configuredBots(config);
  const place = configured.findIndex(({ id }) => id === after);
  const first = after === '' || place >= 0 ? configured.slice(place + 1) : [];
  const isPastConfigured = after !== '' && place < 0;
  const restAfter = isPastConfigured ? after : '';
  const models = bots.slice(configured.length).filter(({ id }) => id > restAfter);
  const given = [...first, ...models.sort((a, b) => (a.id < b.id ? -1 : 1))];
  // One more than the page holds tells whether there is another.
  const shownGiven = given.slice(0, limit + 1);
  const except = bots.map(({ id }) => id);
  let isComplete = true;
  // Configured ones alone may fill the page.
  const room = first.length > limit ? 0 : limit + 1;
  const ids = shownGiven.map(({ id }) => id);
  const { named, others } = await ports.readBots({ ids, except, after: restAfter, limit: room }).catch((): BotRows => {
    isComplete = false;
    return { named: [], others: [] };
  });
  const known = new Map(named.map((row) => [row.id, row]));
  const entries = merge(
    shownGiven.map((bot) => givenEntry(bot, known.get(bot.id) ?? null, config, endpoint)),
    // A model that the endpoint does not offer any more is no bot to choose.
    others.filter(({ hasSpec }) => hasSpec || !endpoint.reachable).map((row) => ({ bot: row, row, available: null })),
    first.length,
  );
  const shown = entries.slice(0, limit);
  const last = shown.at(-1)?.bot.id ?? null;
  return { entries: shown, next: entries.length > limit ? last : null, endpoint, complete: isComplete };
}

/** The first `fixed` of `given` stay in front; the rest of both go by id. */
function merge(given: readonly ListedEntry[], made: readonly ListedEntry[], fixed: number): ListedEntry[] {
  const rest = [...given.slice(fixed), ...made].sort((a, b) => (a.bot.id < b.bot.id ? -1 : 1));
  return [...given.slice(0, fixed), ...rest];
}

function givenEntry(
  definition: BotDefinition,
  row: ListedBot | null,
  config: Config,
  endpoint: EndpointState,
): ListedEntry {
  // An operator's change counts: it may use another endpoint, of which nothing is known here.
  const isChanged = row !== null && row.hasSpec;
  const available = isChanged ? null : modelAvailable(definition.settings, config, endpoint);
  return { bot: isChanged ? row : refOf(definition), row, available };
}

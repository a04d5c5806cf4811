/** What is shown of a bot, and to whom: users see no addresses, no prompts, no words of an endpoint. */
import type { ListedEntry } from '../bots/listing.ts';
import { storedObject } from '../history/bots.ts';
import type { BotStatus, BotView } from '../objects/bot-rpc.ts';

/** In a list, as anybody sees it. */
export function listedView({ bot, row, available }: ListedEntry) {
  const { id, name, model } = bot;
  return { id, name, model, state: row?.state ?? 'running', available };
}

/** In a list, as operators see it: with what the bot's object wrote last. */
export function listedOperatorView(entry: ListedEntry, now: number) {
  const { row } = entry;
  const shown = { ...listedView(entry), configured: row?.hasSpec !== true };
  if (row === null) return shown;
  const status = storedObject(row.status);
  const uptimeMs = status['uptimeMs'];
  // It was written a while ago, and the bot has been up since.
  const since = typeof uptimeMs === 'number' && uptimeMs > 0 ? { uptimeMs: uptimeMs + (now - row.updatedAt) } : {};
  return { ...shown, revision: row.revision, updatedAt: row.updatedAt, ...status, ...since };
}

/** The state of a bot for anybody: what the endpoint said and whose turn failed is for operators. */
export function publicStatus({ id, name, model, state, uptimeMs, running, queued, connections, lastError }: BotStatus) {
  return {
    id,
    name,
    model,
    state,
    uptimeMs,
    running,
    queued,
    connections,
    lastError: lastError && { code: lastError.code, at: lastError.at },
  };
}

/** What operators see of it beside its definition. */
export function operatorStatus(view: BotView): BotStatus {
  const { spec: _, ...status } = view;
  return status;
}

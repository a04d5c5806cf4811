/** One bot per model that the endpoint offers, under ids that are stable and fit in a path. */
import { createHash } from 'node:crypto';
import type { Config } from '../env.ts';
import { BOT_ID_PATTERN } from '../protocol/ids.ts';
import type { ModelInfo } from '../responders/discovery.ts';
import { modelBot, type BotDefinition } from './definition.ts';

/** Leaves room for a hyphen and the digest in an id of at most 48 characters. */
const MAX_SLUG_LENGTH = 39;
const DIGEST_LENGTH = 8;

/**
 * Bots for the models that can hold a conversation, by name. Ids in `taken` (configured bots) are
 * left to their owners. Of two models whose names make the same id, the one that sorts first has
 * it; the other's id ends in a digest of its name, so neither depends on the endpoint's order.
 */
export function modelBots(models: readonly ModelInfo[], config: Config, taken: ReadonlySet<string>): BotDefinition[] {
  const used = new Set(taken);
  const names = models.filter(isChatModel).map(({ model }) => model);
  const sorted = [...new Set(names)].sort();
  return sorted.map((model) => {
    const id = idFor(model, used);
    used.add(id);
    return modelBot(id, model, model, config);
  });
}

/** A model of which nothing is said may well chat; one that only embeds says so. */
export function isChatModel({ capabilities }: ModelInfo): boolean {
  return capabilities.length === 0 || capabilities.includes('completion');
}

/** Ollama takes a name without a tag for the tag `latest`. */
export function isListed(model: string, models: readonly string[]): boolean {
  return models.includes(model) || models.includes(`${model}:latest`);
}

function idFor(model: string, used: ReadonlySet<string>): string {
  const slug = model
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-+|-+$/g, '');
  if (BOT_ID_PATTERN.test(slug) && !used.has(slug)) return slug;
  const digest = createHash('sha256').update(model).digest('hex').slice(0, DIGEST_LENGTH);
  return `${slug.slice(0, MAX_SLUG_LENGTH) || 'model'}-${digest}`;
}

/** Bots as people read of them: found by what is typed, and how they are. */
import type { BotInfo } from './ports.ts';

/** Those in which every word of `typed` is, ids that begin with it first. */
export function matchingBots(bots: readonly BotInfo[], typed: string): readonly BotInfo[] {
  const wanted = typed.trim().toLowerCase();
  if (wanted === '') return bots;
  const words = wanted.split(/\s+/);
  const found = bots.filter(({ id, name, model }) => {
    const text = `${id} ${name} ${model}`.toLowerCase();
    return words.every((word) => text.includes(word));
  });
  const begins = ({ id, name }: BotInfo) => id.startsWith(wanted) || name.toLowerCase().startsWith(wanted);
  return [...found.filter(begins), ...found.filter((bot) => !begins(bot))];
}

/** Empty for a bot of which there is nothing to say: it answers. */
export function stateWords({ state, available }: Pick<BotInfo, 'state' | 'available'>): string {
  if (state === 'stopped' || state === 'paused') return state;
  if (state === 'starting') return 'starting';
  if (state === 'degraded') return 'not reachable';
  return available === false ? 'not installed' : '';
}

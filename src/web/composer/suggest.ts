/**
 * What can be offered for what was typed up to the cursor: bots after `@` and `/bot`, commands
 * after `/`, formats after `/export`. Pure; only the beginning of a message is looked at.
 */
import { begunMention } from '../../client/mentions.ts';
import { SLASH_COMMANDS, suggestedCommands } from '../../client/slash-commands.ts';
import { matchingBots, stateWords } from '../state/bot-words.ts';
import type { BotInfo } from '../state/ports.ts';

export interface Suggestion {
  key: string;
  label: string;
  detail: string;
  /** A word about its state; empty for none. */
  badge: string;
  /** What takes the place of everything up to the end of the word under the cursor. */
  insert: string;
}

export interface Suggestions {
  /** What the list is called. */
  title: string;
  items: readonly Suggestion[];
  /** Whether Enter takes the first one without an arrow key: only where something was typed to choose by. */
  eager: boolean;
  /** What was typed to choose bots by, where the list is of bots: all of them have to be known. */
  search: string | null;
}

/** More would not be read, only scrolled. */
const MAX_SUGGESTIONS = 40;
const BOT_ARGUMENT = /^\/bot\s+@?(\S*)$/i;
const EXPORT_ARGUMENT = /^\/export\s+(\S*)$/i;

/** Null where nothing is to be offered. */
export function suggest(beforeCursor: string, bots: readonly BotInfo[]): Suggestions | null {
  const mention = begunMention(beforeCursor);
  if (mention !== null)
    return offer(
      'Bots',
      botItems(bots, mention, (id) => `@${id} `),
      true,
      mention,
    );
  const commands = suggestedCommands(beforeCursor);
  if (commands !== null) return offer('Commands', commands.map(commandItem), true, null);
  const bot = BOT_ARGUMENT.exec(beforeCursor)?.[1];
  if (bot !== undefined)
    return offer(
      'Bots',
      botItems(bots, bot, (id) => `/bot ${id}`),
      bot !== '',
      bot,
    );
  const format = EXPORT_ARGUMENT.exec(beforeCursor)?.[1];
  if (format !== undefined) return offer('Formats', formatItems(format.toLowerCase()), format !== '', null);
  return null;
}

/** Whether Enter means what was typed, not the suggestion: it stands there already, complete. */
export function isComplete(beforeCursor: string, { insert }: Suggestion): boolean {
  return beforeCursor.startsWith('/') && beforeCursor.trimEnd().toLowerCase() === insert;
}

function offer(title: string, items: Suggestion[], eager: boolean, search: string | null): Suggestions {
  return { title, items: items.slice(0, MAX_SUGGESTIONS), eager, search };
}

function botItems(bots: readonly BotInfo[], typed: string, insert: (id: string) => string): Suggestion[] {
  return matchingBots(bots, typed).map((bot) => {
    const { id, name, model } = bot;
    const detail = name === model || name === id ? '' : name;
    return { key: id, label: id, detail: detail || model, badge: stateWords(bot), insert: insert(id) };
  });
}

function commandItem({ name, usage, does }: (typeof SLASH_COMMANDS)[number]): Suggestion {
  // Where something has to follow, a space leads on to it; else the command is complete.
  const insert = usage === '' || usage.startsWith('[') ? `/${name}` : `/${name} `;
  return { key: name, label: `/${name} ${usage}`.trimEnd(), detail: does, badge: '', insert };
}

function formatItems(typed: string): Suggestion[] {
  return ['markdown', 'json']
    .filter((format) => format.startsWith(typed))
    .map((format) => ({ key: format, label: format, detail: '', badge: '', insert: `/export ${format}` }));
}

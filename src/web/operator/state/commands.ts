/**
 * The console's command line. Like the chat's (src/client/slash-commands.ts) in looks, but about
 * bots by their ids instead of one chat, so it has a list of its own.
 */
import { BOT_ID_PATTERN } from '../../../protocol/ids.ts';
import type { BotAction } from '../../../objects/bot-rpc.ts';

export type ConsoleCommand =
  | { name: 'help' | 'new' | 'alerts' | 'health' | 'logout' }
  /** `bot` null: of all. */
  | { name: 'status' | 'audit' | 'verify'; bot: string | null }
  | { name: 'bot' | 'edit' | 'delete' | BotAction; bot: string };
export type CommandName = ConsoleCommand['name'];

export interface CommandInfo {
  name: CommandName;
  takes: 'nothing' | 'a bot' | 'a bot or nothing';
  does: string;
}

/** In the order in which they are offered. */
export const COMMANDS: readonly CommandInfo[] = [
  { name: 'status', takes: 'a bot or nothing', does: 'How a bot does, or all of them' },
  { name: 'launch', takes: 'a bot', does: 'Starts a bot' },
  { name: 'stop', takes: 'a bot', does: 'Stops a bot: no new answers, running ones get their grace period' },
  { name: 'pause', takes: 'a bot', does: 'No new answers; running ones are finished' },
  { name: 'resume', takes: 'a bot', does: 'Ends a pause' },
  { name: 'bot', takes: 'a bot', does: 'Opens a bot' },
  { name: 'edit', takes: 'a bot', does: "Opens a bot's definition" },
  { name: 'new', takes: 'nothing', does: 'Defines a new bot' },
  { name: 'delete', takes: 'a bot', does: "Deletes a bot's definition" },
  { name: 'alerts', takes: 'nothing', does: 'What fires, and what did' },
  { name: 'audit', takes: 'a bot or nothing', does: 'What operators did' },
  { name: 'verify', takes: 'a bot or nothing', does: 'Checks that nobody changed the audit log' },
  { name: 'health', takes: 'nothing', does: 'Database, objects and endpoints' },
  { name: 'help', takes: 'nothing', does: 'Shows these commands' },
  { name: 'logout', takes: 'nothing', does: 'Ends the login' },
];

export type Parsed = { ok: true; command: ConsoleCommand } | { ok: false; reason: string };

/** What a line asks for; the slash may be left out. */
export function parseCommand(line: string): Parsed {
  const [typed = '', bot, ...rest] = line.trim().replace(/^\//, '').split(/\s+/);
  const info = COMMANDS.find(({ name }) => name === typed.toLowerCase());
  if (!info) {
    const near = COMMANDS.find(({ name }) => typed !== '' && name.startsWith(typed.toLowerCase()));
    return refuse(`There is no command /${typed}.${near ? ` Did you mean /${near.name}?` : ' /help lists them.'}`);
  }
  if (rest.length > 0) return refuse(`/${info.name} takes ${info.takes}, not more.`);
  return withBot(info.name, bot?.replace(/^@/, '').toLowerCase() ?? null);
}

function withBot(name: CommandName, bot: string | null): Parsed {
  if (bot !== null && !BOT_ID_PATTERN.test(bot)) return refuse(`"${bot}" is not the id of a bot.`);
  switch (name) {
    case 'help':
    case 'new':
    case 'alerts':
    case 'health':
    case 'logout':
      return bot === null ? { ok: true, command: { name } } : refuse(`Nothing follows /${name}.`);
    case 'status':
    case 'audit':
    case 'verify':
      return { ok: true, command: { name, bot } };
    default:
      return bot === null ? refuse(`/${name} needs the id of a bot.`) : { ok: true, command: { name, bot } };
  }
}

function refuse(reason: string): Parsed {
  return { ok: false, reason };
}

export interface Suggestion {
  /** The line when it is taken. */
  line: string;
  words: string;
}

const MAX_SUGGESTIONS = 8;

/** What the line may become: names of commands first, then bots. */
export function suggestionsFor(line: string, bots: readonly { id: string; name: string }[]): Suggestion[] {
  const [typed = '', bot, ...rest] = line.trimStart().replace(/^\//, '').toLowerCase().split(/\s+/);
  if (rest.length > 0 || line.trim() === '') return [];
  if (bot === undefined) {
    return COMMANDS.filter(({ name }) => name.startsWith(typed)).map(({ name, takes, does }) => ({
      line: `/${name}${takes === 'nothing' ? '' : ' '}`,
      words: does,
    }));
  }
  const info = COMMANDS.find(({ name }) => name === typed);
  if (!info || info.takes === 'nothing') return [];
  const wanted = bot.replace(/^@/, '');
  const begins = bots.filter(({ id }) => id.startsWith(wanted) && id !== wanted);
  const contains = bots.filter(
    ({ id, name }) => !id.startsWith(wanted) && `${id} ${name.toLowerCase()}`.includes(wanted),
  );
  return [...begins, ...contains]
    .slice(0, MAX_SUGGESTIONS)
    .map(({ id, name }) => ({ line: `/${typed} ${id}`, words: name }));
}

/**
 * Commands that begin with `/`: for the page or the console itself, never sent to a bot. One
 * parser, so that the same text means the same everywhere. Deterministic, does nothing itself.
 *
 * Text that merely begins with a slash stays text: `/ 2`, `/etc/hosts`, `/2024`, `//cdn.example/x`.
 * Where it would be taken for a command, one more slash says that it is meant as it is: `//help`
 * sends `/help`.
 */
import { BOT_ID_PATTERN } from '../protocol/ids.ts';
import { MAX_TITLE_LENGTH } from '../protocol/limits.ts';

export type ExportFormat = 'markdown' | 'json';

export type SlashCommand =
  | { name: 'help' }
  /** `bot: null` asks which one answers. */
  | { name: 'bot'; bot: string | null }
  | { name: 'status' }
  | { name: 'stop' }
  | { name: 'title'; title: string }
  | { name: 'export'; format: ExportFormat };
export type CommandName = SlashCommand['name'];

export interface CommandInfo {
  name: CommandName;
  /** What follows the name; empty for nothing. */
  usage: string;
  does: string;
}

/** In the order in which they are offered. */
export const SLASH_COMMANDS: readonly CommandInfo[] = [
  { name: 'help', usage: '', does: 'Shows what can be typed here' },
  { name: 'bot', usage: '[id]', does: 'Says which bot answers, or has another one answer' },
  { name: 'status', usage: '', does: 'Shows how the bot and this chat are doing' },
  { name: 'stop', usage: '', does: 'Ends the answer that is being made' },
  { name: 'title', usage: 'text', does: 'Gives this chat another title' },
  { name: 'export', usage: '[markdown|json]', does: 'Saves this chat as a file' },
];

export type TypedInput =
  /** Goes to the bot, as `text` (not always exactly what was typed). */
  | { kind: 'message'; text: string }
  | { kind: 'command'; command: SlashCommand }
  /** Neither: `reason` is a sentence for the person, whose text stays where it is. */
  | { kind: 'problem'; reason: string };

const COMMAND = /^\/(\p{L}[\p{L}\p{N}_-]*)(?:\s+([^]*))?$/u;
const LEADING_SLASHES = /^\/+/;

/** What a typed text asks for. */
export function parseInput(text: string): TypedInput {
  const slashes = LEADING_SLASHES.exec(text)?.[0].length ?? 0;
  if (slashes === 1) return parseCommand(text) ?? { kind: 'message', text };
  // Only where a slash is needed to say "text" is it taken off again: `//cdn.example/x` stays whole.
  const isEscape = slashes > 1 && parseCommand(text.slice(slashes - 1)) !== null;
  return { kind: 'message', text: isEscape ? text.slice(1) : text };
}

/** The commands that what was typed up to the cursor may become, while the name is typed; null where it is none. */
export function suggestedCommands(beforeCursor: string): readonly CommandInfo[] | null {
  const begun = /^\/(\p{L}*)$/u.exec(beforeCursor)?.[1]?.toLowerCase();
  return begun === undefined ? null : SLASH_COMMANDS.filter(({ name }) => name.startsWith(begun));
}

/** Null where the text is not meant as a command. */
function parseCommand(text: string): TypedInput | null {
  const match = COMMAND.exec(text.trimEnd());
  const typed = match?.[1];
  if (typed === undefined) return null;
  const rest = (match?.[2] ?? '').trim();
  const info = SLASH_COMMANDS.find(({ name }) => name === typed.toLowerCase());
  const isOneLine = !/[\n\r]/.test(text.trimEnd());
  // Several lines with an unknown word before them are something pasted.
  if (!info) return isOneLine ? problem(unknown(typed)) : null;
  if (!isOneLine) return problem(`/${info.name} is one line: send the rest as a message of its own.`);
  return withArgument(info, rest);
}

function withArgument({ name }: CommandInfo, rest: string): TypedInput {
  switch (name) {
    case 'help':
    case 'status':
    case 'stop':
      return rest === '' ? { kind: 'command', command: { name } } : problem(`Nothing follows /${name}.${asText(name)}`);
    case 'bot':
      return botCommand(rest);
    case 'title':
      if (rest === '') return problem('/title needs the new title after it.');
      if (rest.length > MAX_TITLE_LENGTH) return problem(`A title holds at most ${MAX_TITLE_LENGTH} characters.`);
      return { kind: 'command', command: { name, title: rest.toWellFormed() } };
    case 'export':
      return exportCommand(rest.toLowerCase());
  }
}

function botCommand(rest: string): TypedInput {
  if (rest === '') return { kind: 'command', command: { name: 'bot', bot: null } };
  const bot = rest.replace(/^@/, '').toLowerCase();
  if (BOT_ID_PATTERN.test(bot)) return { kind: 'command', command: { name: 'bot', bot } };
  return problem('/bot takes the id of one bot: lower-case letters, digits and hyphens.');
}

function exportCommand(rest: string): TypedInput {
  if (rest === '' || rest === 'markdown' || rest === 'md') {
    return { kind: 'command', command: { name: 'export', format: 'markdown' } };
  }
  if (rest === 'json') return { kind: 'command', command: { name: 'export', format: 'json' } };
  return problem('/export writes markdown or json.');
}

function unknown(typed: string): string {
  const lower = typed.toLowerCase();
  const near = SLASH_COMMANDS.find(({ name }) => name.startsWith(lower) || lower.startsWith(name));
  return `There is no command /${typed}.${near ? ` Did you mean /${near.name}?` : ''}${asText(typed)}`;
}

/** How to send it after all. */
function asText(typed: string): string {
  return ` Type //${typed} to send it as text.`;
}

function problem(reason: string): TypedInput {
  return { kind: 'problem', reason };
}

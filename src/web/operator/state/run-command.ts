/** Does what a command line asks for; what it answers is lines for the person. */
import type { Action } from './actions.ts';
import { COMMANDS, parseCommand } from './commands.ts';
import type { Console } from './console.ts';
import type { FleetBot } from './fleet.ts';
import { duration, share, STATE_WORDS } from './words.ts';

export interface Output {
  ok: boolean;
  lines: readonly string[];
}

const NOTHING: Output = { ok: true, lines: [] };

export function runCommand(state: Console, line: string): Output {
  const parsed = parseCommand(line);
  if (!parsed.ok) return { ok: false, lines: [parsed.reason] };
  const { command } = parsed;
  const { router, login, audit } = state;
  switch (command.name) {
    case 'help':
      return { ok: true, lines: COMMANDS.map(({ name, takes, does }) => `/${name}${argumentOf(takes)}: ${does}`) };
    case 'new':
    case 'alerts':
    case 'health':
      router.go({ page: command.name });
      return NOTHING;
    case 'logout':
      void login.leave();
      return NOTHING;
    case 'audit':
      router.go({ page: 'audit', bot: command.bot });
      return NOTHING;
    case 'verify':
      router.go({ page: 'audit', bot: command.bot });
      void audit.verify();
      return NOTHING;
    case 'status':
      return command.bot === null ? fleetStatus(state) : withBot(state, command.bot, (bot) => say(statusLine(bot)));
    default:
      return onBot(state, command);
  }
}

function argumentOf(takes: (typeof COMMANDS)[number]['takes']): string {
  return { nothing: '', 'a bot': ' bot', 'a bot or nothing': ' [bot]' }[takes];
}

interface BotCommand {
  name: 'bot' | 'edit' | Action;
  bot: string;
}

function onBot(state: Console, { name, bot: id }: BotCommand): Output {
  const { router, actions } = state;
  return withBot(state, id, (bot) => {
    if (name === 'bot' || name === 'edit') router.go({ page: name, id });
    else actions.want(name, bot);
    return NOTHING;
  });
}

function withBot({ fleet }: Console, id: string, act: (bot: FleetBot) => Output): Output {
  const bot = fleet.byId.peek().get(id);
  return bot ? act(bot) : { ok: false, lines: [`There is no bot ${id}.`] };
}

function say(...lines: string[]): Output {
  return { ok: true, lines };
}

function fleetStatus({ fleet, selection }: Console): Output {
  const counts = Object.entries(selection.counts.peek()).filter(([, count]) => count > 0);
  const bots = fleet.bots.peek();
  const sum = (pick: (bot: FleetBot) => number | undefined) => bots.reduce((all, bot) => all + (pick(bot) ?? 0), 0);
  return say(
    `${bots.length} bots: ${counts.map(([state, count]) => `${count} ${state}`).join(', ')}`,
    `${sum(({ running }) => running)} answers running, ${sum(({ queued }) => queued)} waiting, ${sum(({ connections }) => connections)} connections`,
  );
}

function statusLine(bot: FleetBot): string {
  const { id, state, because, running = 0, queued = 0, slots = null, uptimeMs = 0 } = bot;
  const reason = because ? ` (${because})` : '';
  const slotsText = slots === null ? '' : ` of ${slots} slots`;
  const up = uptimeMs > 0 ? `, up ${duration(uptimeMs)}` : '';
  return `${id}: ${STATE_WORDS[state].toLowerCase()}${reason}, ${running}${slotsText} running, ${queued} waiting, errors ${share(bot.errorShare)}, p95 first token ${duration(bot.p95FirstTokenMs)}${up}`;
}

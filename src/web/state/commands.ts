/** What the page does for a command; the answer is a note in the conversation. */
import type { ExportFormat, SlashCommand } from '../../client/slash-commands.ts';
import { answerer } from './answerer.ts';
import type { App } from './app.ts';
import { stateWords } from './bot-words.ts';
import { connectionNote } from './connection.ts';
import type { Note } from './notes.ts';
import type { Ports } from './ports.ts';
import { reasonOf } from './toasts.ts';
import { waitSentence } from './waiting.ts';
import { exportHref, titleOr } from './words.ts';

const NO_CHAT = 'There is no chat yet: it begins with the first message.';
const UNREACHABLE = 'not known just now';

type Around = Pick<App, 'bots' | 'chat' | 'notes' | 'online' | 'sessions'> & Pick<Ports, 'api' | 'download'>;
type Content = Note['content'];

/** Does what `command` says, and tells in the chat where it was given. */
export async function runCommand(around: Around, command: SlashCommand): Promise<void> {
  const { chat, notes } = around;
  const session = chat.session.peek();
  const after = chat.arranged.peek().entries.at(-1)?.key ?? null;
  const content = await resultOf(around, command, session).catch((error: unknown): Content => {
    return { kind: 'problem', text: `/${command.name} did not work: ${reasonOf(error)}` };
  });
  if (content !== null) notes.add({ session, after, command: command.name, content });
}

/** Null where the result shows by itself. */
async function resultOf(around: Around, command: SlashCommand, session: string | null): Promise<Content | null> {
  const { chat, sessions } = around;
  switch (command.name) {
    case 'help':
      return { kind: 'help' };
    case 'bot':
      return command.bot === null ? currentBot(around) : chooseBot(around, session, command.bot);
    case 'status':
      return { kind: 'facts', facts: await facts(around) };
    case 'stop':
      if (!chat.answering.peek()) return { kind: 'text', text: 'No answer is being made just now.' };
      chat.stop();
      return null;
    case 'title':
      if (session === null) return { kind: 'text', text: NO_CHAT };
      await sessions.change(session, { title: command.title });
      return { kind: 'text', text: `This chat is called “${titleOr(command.title)}” now.` };
    case 'export':
      return session === null ? { kind: 'text', text: NO_CHAT } : saveFile(around, session, command.format);
  }
}

function currentBot({ bots, chat }: Around): Content {
  const session = chat.session.peek();
  const id = session === null ? bots.forNewChat.peek() : (chat.view.peek()?.bot?.id ?? null);
  const bot = id === null ? null : (bots.find(id) ?? chat.view.peek()?.bot ?? null);
  if (bot === null) return { kind: 'text', text: 'Which bot answers is not known yet.' };
  const text = `${bot.name} (/bot ${bot.id}) answers here. Type /bot and another id to change that, or @id before a message to ask another bot once.`;
  return { kind: 'text', text };
}

async function chooseBot({ bots, sessions }: Around, session: string | null, id: string): Promise<Content> {
  const bot = await bots.look(id);
  if (session === null) bots.chooseForNewChat(id);
  else await sessions.change(session, { bot: id });
  const state = stateWords(bot);
  return { kind: 'text', text: `${bot.name} answers from here on.${state === '' ? '' : ` It is ${state} just now.`}` };
}

async function facts({ api, bots, chat, online }: Around): Promise<[string, string][]> {
  const view = chat.view.peek();
  const id = view?.bot?.id ?? bots.forNewChat.peek();
  const health = id === null ? null : await api.botHealth(id).catch(() => null);
  const name = health?.name ?? view?.bot?.name ?? id ?? 'none';
  const rows: [string, string][] = [['Bot', health === null ? name : `${name} (${health.model})`]];
  rows.push(['State', health === null ? UNREACHABLE : `${health.state}${health.because && `: ${health.because}`}`]);
  if (health?.running != null && health.queued != null) {
    rows.push(['Its work', `${health.running} being answered, ${health.queued} waiting`]);
  }
  if (view === null) return rows;
  const { running } = view.queue;
  const wait = chat.wait.peek();
  const turn = running === null ? 'none' : 'being made';
  rows.push(['Answer', running && wait ? waitSentence(wait, answerer({ chat, bots }, running.turn, null)) : turn]);
  const waiting = chat.arranged.peek().queue.length;
  if (waiting > 0) rows.push(['Waiting here', `${waiting} ${waiting === 1 ? 'message' : 'messages'}`]);
  rows.push(['Connection', connectionNote(view, online.peek(), Date.now()).text || 'good']);
  return rows;
}

function saveFile({ download }: Around, session: string, format: ExportFormat): Content {
  const href = exportHref(session, format);
  download(href);
  const label = `Save it again as ${format === 'json' ? 'JSON' : 'Markdown'}`;
  return { kind: 'text', text: 'This chat is being saved as a file.', link: { label, href } };
}

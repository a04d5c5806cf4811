/**
 * Who answers: the chat's bot, or the one that a message names at its beginning. Reads only the
 * signals it needs: what is drawn for an ended answer must not be drawn again for every token.
 */
import { mentionIn } from '../../protocol/mention.ts';
import type { BotMessage } from '../../protocol/transcript.ts';
import type { Bots } from './bots.ts';
import type { Chat } from './chat.ts';

interface Around {
  chat: Pick<Chat, 'bot' | 'messages'>;
  bots: Pick<Bots, 'find'>;
}

const SOMEBODY = 'The bot';

/**
 * The name of who answered, or is to answer, where it is not the chat's bot; else null. For an
 * answer that is still to come it is a guess from the question: only the server routes.
 */
export function otherAnswerer({ chat, bots }: Around, turn: number, message: BotMessage | null): string | null {
  if (message !== null) {
    return message.by === undefined || message.by.id === chat.bot.value?.id ? null : message.by.name;
  }
  const question = chat.messages.value.findLast((said) => said.role === 'user' && said.turn === turn);
  const id = question && mentionIn(question.text)?.bot;
  return id === undefined || id === chat.bot.value?.id ? null : (bots.find(id)?.name ?? null);
}

/** The name of who answered, or is to answer. */
export function answerer(around: Around, turn: number, message: BotMessage | null): string {
  return otherAnswerer(around, turn, message) ?? message?.by?.name ?? around.chat.bot.value?.name ?? SOMEBODY;
}

/** A user of AIChatAgent: its wire over a plain `ws` socket, sending the whole conversation every time as its own client does. */
import * as z from 'zod/mini';
import type { Told } from '../check.ts';
import type { UserEvents } from '../user.ts';
import { openSocket, SocketUser } from '../socket-user.ts';

const message = z.object({
  id: z.string(),
  role: z.string(),
  parts: z.array(z.object({ type: z.string(), text: z.optional(z.string()) })),
});
type UiMessage = z.infer<typeof message>;

interface Frame {
  type: string;
  id?: string;
  body?: string;
  done?: boolean;
  error?: boolean;
}

interface Chunk {
  type: string;
  messageId?: string;
  delta?: string;
  errorText?: string;
}

interface OpenAnswer {
  id: string;
  /** The server's, of the answer. */
  messageId: string;
  text: string;
  problem: string | null;
}

function addressOf(url: string, name: string): string {
  return `${url}/agents/chat-agent/${encodeURIComponent(name)}`;
}

export class AiChatUser extends SocketUser {
  readonly #conversation: UiMessage[] = [];
  #open: OpenAnswer | null = null;

  static async connect(url: string, name: string): Promise<AiChatUser> {
    return new AiChatUser(name, await openSocket(addressOf(url, name)));
  }

  /** What the server has of a conversation. */
  static async history(url: string, name: string): Promise<Told[]> {
    const response = await fetch(`${addressOf(url, name)}/get-messages`);
    let turn = 0;
    return z.parse(z.array(message), await response.json()).map(({ id, role, parts }, index) => {
      const seq = index + 1;
      if (role === 'user') turn = seq;
      const text = parts.map((part) => (part.type === 'text' ? (part.text ?? '') : '')).join('');
      return { seq, turn, role: role === 'user' ? 'user' : 'bot', id, text, status: 'complete' };
    });
  }

  override send(id: string, text: string): void {
    this.#open = { id, messageId: '', text: '', problem: null };
    this.#conversation.push({ id, role: 'user', parts: [{ type: 'text', text }] });
    const body = JSON.stringify({ messages: this.#conversation, trigger: 'submit-message' });
    this.write(JSON.stringify({ id, type: 'cf_agent_use_chat_request', init: { method: 'POST', body } }));
  }

  protected override read(data: string, events: UserEvents): void {
    const frame: Frame = JSON.parse(data);
    const open = this.#open;
    if (frame.type !== 'cf_agent_use_chat_response' || open === null || frame.id !== open.id) return;
    if (frame.error) open.problem ??= frame.body ?? 'an error without a text';
    else if (frame.body) this.#readChunk(open, frame.body, events);
    if (!frame.done) return;
    this.#open = null;
    const parts = [{ type: 'step-start' }, { type: 'text', text: open.text, state: 'done' }];
    this.#conversation.push({ id: open.messageId, role: 'assistant', parts });
    events.replied(open.id, open.text, open.problem);
  }

  #readChunk(open: OpenAnswer, body: string, events: UserEvents): void {
    const chunk: Chunk = JSON.parse(body);
    if (chunk.type === 'start') open.messageId = chunk.messageId ?? '';
    else if (chunk.type === 'error') open.problem ??= chunk.errorText ?? 'an error without a text';
    else if (chunk.type === 'text-delta') {
      if (open.text === '') events.firstToken(open.id);
      open.text += chunk.delta ?? '';
    }
  }
}

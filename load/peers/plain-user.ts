/** A user of the plain Node server. */
import * as z from 'zod/mini';
import type { Told } from '../check.ts';
import type { UserEvents } from '../user.ts';
import { openSocket, SocketUser } from '../socket-user.ts';

const rows = z.array(z.object({ id: z.int(), role: z.string(), client: z.string(), text: z.string() }));

interface Frame {
  type: 'ack' | 'token' | 'done' | 'failed';
  id: string;
  text?: string;
  problem?: string;
}

export class PlainUser extends SocketUser {
  #text = '';

  static async connect(url: string, name: string): Promise<PlainUser> {
    return new PlainUser(name, await openSocket(`${url}/${encodeURIComponent(name)}`));
  }

  /** What the server has of a conversation. */
  static async history(url: string, name: string): Promise<Told[]> {
    const response = await fetch(`${url}/${encodeURIComponent(name)}`);
    const stored = z.parse(rows, await response.json());
    const asked = new Map(stored.filter(({ role }) => role === 'user').map(({ id, client }) => [client, id]));
    return stored.map(({ id, role, client, text }) => {
      return {
        seq: id,
        turn: asked.get(client) ?? 0,
        role: role === 'user' ? 'user' : 'bot',
        id: client,
        text,
        status: 'complete',
      };
    });
  }

  override send(id: string, text: string): void {
    this.#text = '';
    this.write(JSON.stringify({ id, text }));
  }

  protected override read(data: string, events: UserEvents): void {
    const { type, id, text = '', problem }: Frame = JSON.parse(data);
    if (type === 'ack') events.acknowledged(id);
    else if (type === 'token') {
      if (this.#text === '') events.firstToken(id);
      this.#text += text;
    } else events.replied(id, this.#text, problem ?? null);
  }
}

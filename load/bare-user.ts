/** A user of the bare object: one JSON.parse a frame, the least a client can do. */
import { PING_TEXT } from '../src/protocol/server-frames.ts';
import type { BareMode } from './bare-object/modes.ts';
import { openSocket, SocketUser } from './socket-user.ts';
import type { UserEvents } from './user.ts';

export class BareUser extends SocketUser {
  /** One message at a time: the bare object's frames do not say which one they answer. */
  #open: { id: string; text: string } | null = null;
  /** What was said meanwhile, to be sent one after the other, as a session of Switchboard would answer it. */
  readonly #waiting: { id: string; text: string }[] = [];

  /** @param name names the object: users of one name share it */
  static async connect(url: string, name: string, mode: BareMode): Promise<BareUser> {
    return new BareUser(name, await openSocket(`${url}/${encodeURIComponent(name)}?mode=${mode}`));
  }

  override send(id: string, text: string): void {
    if (this.#open) {
      this.#waiting.push({ id, text });
      return;
    }
    this.#open = { id, text: '' };
    this.write(text);
  }

  ping(): void {
    if (this.live) this.write(PING_TEXT);
  }

  protected override read(data: string, events: UserEvents): void {
    const open = this.#open;
    if (!open) return;
    const { text, done }: { text: string; done: boolean } = JSON.parse(data);
    if (open.text === '') events.firstToken(open.id);
    open.text += text;
    if (!done) return;
    this.#open = null;
    events.replied(open.id, open.text, null);
    const next = this.#waiting.shift();
    if (next) this.send(next.id, next.text);
  }
}

/** The person whose page is looked at: makes sessions, and says things in them from elsewhere. */
import { setTimeout as sleep } from 'node:timers/promises';
import * as z from 'zod/mini';
import { messageId, messageText } from '../message.ts';
import { Caller } from '../operations/caller.ts';
import { LoadError } from '../scenario.ts';
import { newSession } from '../switchboard/user.ts';

const REPLY_WAIT_SECONDS = 30;
/** As often as a session takes them, see MESSAGES_PER_SECOND. */
const QUICK_INTERVAL_MS = 55;
/** So many come at once after a pause. */
const QUICK_AT_ONCE = 150;
/** Of the simulator: at full speed, about as long as a short answer. */
const QUICK = 'tokens=20 tokenMs=0';

const made = z.object({ id: z.string() });
const answered = z.object({ reply: z.object({ status: z.string() }) });

export class Person {
  /** A session that is there from the beginning. */
  readonly session: string;
  readonly cookie: string;
  readonly #caller: Caller;
  #number = 0;

  private constructor(url: string, session: string, cookie: string) {
    this.session = session;
    this.cookie = cookie;
    this.#caller = new Caller(url, { cookie });
  }

  static async arrive(url: string): Promise<Person> {
    const { session, cookie } = await newSession(url);
    return new Person(url, session, cookie);
  }

  async newSession(title: string): Promise<string> {
    return made.parse((await this.#caller.post('/api/sessions', { title })).body).id;
  }

  /** Says something and waits until it is answered. @param directive for the simulator */
  async say(session: string, directive = ''): Promise<void> {
    this.#number += 1;
    const body = { id: messageId(0, this.#number), text: messageText(0, this.#number, directive) };
    const wait = { prefer: `wait=${REPLY_WAIT_SECONDS}` };
    const { reply } = answered.parse((await this.#caller.post(`/api/sessions/${session}/messages`, body, wait)).body);
    if (reply.status !== 'complete') throw new LoadError('not_finished', `A message was answered "${reply.status}".`);
  }

  /** Has so many messages said and answered, as quickly as a session takes them. */
  async fill(session: string, messages: number): Promise<void> {
    for (let turn = 0; turn < messages / 2; turn += 1) {
      const startedAt = performance.now();
      await this.say(session, QUICK);
      const restMs = QUICK_INTERVAL_MS - (performance.now() - startedAt);
      if (turn >= QUICK_AT_ONCE && restMs > 0) await sleep(restMs);
    }
  }

  async stop(): Promise<void> {
    this.#caller.close();
  }
}

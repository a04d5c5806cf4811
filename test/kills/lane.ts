/**
 * One server that dies again and again, and the people on it. Several lanes run side by side, since
 * most of a life is waiting: for a process to start, a token to come, a commit to reach the disk.
 */
import type { Random } from '../support/random.ts';
import type { User } from '../support/user.ts';
import { Conversation } from './conversation.ts';
import type { Failpoint } from './failpoints.ts';
import type { Life } from './life.ts';
import type { Plan } from './plan.ts';
import { Removals } from './removals.ts';
import type { Stage } from './stage.ts';

/** Conversations going on at a time: with two tabs, with one, and without anybody connected. */
const TABS = [2, 1, 0, 0];
/** Lives that a conversation sees before another one begins in its place and it is left to itself. */
const LIVES_OF_A_CONVERSATION = 60;
const RELOAD_SHARE = 0.05;
const MAKE_SHARE = 0.1;
const REMOVE_SHARE = 0.05;
/** Added to the time in which a failpoint has to be reached, in starts of the process. */
const STARTS_TO_REACH = 4;
/** A life in which nothing is acknowledged is a failure, not something to wait for. */
const FIRST_ACK_TIMEOUT_MS = 30_000;
const READY_TIMEOUT_MS = 60_000;

export interface Kill {
  /** The failpoint's name, or how the moment was chosen. */
  at: Failpoint | 'random' | 'boot' | 'acknowledged';
  /** From the start of the process to its open port; null when it was killed before. */
  startMs: number | null;
  /** To the first acknowledgement of a new message, from the kill before and from the open port; where it was timed. */
  firstAck: { sinceKillMs: number; sinceReadyMs: number } | null;
  /** Nobody else was called back before that. */
  alone: boolean;
}

export class Lane {
  readonly conversations: Conversation[] = [];
  readonly removals: Removals;
  readonly kills: Kill[] = [];
  readonly #stage: Stage;
  readonly #random: Random;
  readonly #user: User;
  /** Those still going on, by the place in `TABS`. */
  readonly #current: (Conversation | undefined)[] = TABS.map(() => undefined);
  #probes = 0;
  #killedAt = 0;

  constructor(stage: Stage, random: Random) {
    this.#stage = stage;
    this.#random = random;
    this.#user = stage.user();
    this.removals = new Removals(this.#user);
  }

  /** Lives through one plan after the other, until there were `kills` or `forMs` have passed. */
  async run(plans: Iterator<Plan, never>, kills: number, forMs: number): Promise<void> {
    await this.#settle();
    const until = performance.now() + forMs;
    while (this.kills.length < kills && performance.now() < until) {
      this.kills.push(await this.#live(plans.next().value));
      if (this.kills.length % LIVES_OF_A_CONVERSATION === 0) this.#retire(this.kills.length / LIVES_OF_A_CONVERSATION);
    }
  }

  /** The first life: nobody is killed before there is something to lose. */
  async #settle(): Promise<void> {
    const life = this.#stage.begin(null);
    await within(life.ready, READY_TIMEOUT_MS, 'start');
    await this.#fill();
    await this.#kill(life);
  }

  /** Another conversation wherever one is missing. */
  async #fill(): Promise<void> {
    for (const [place, tabs] of TABS.entries()) {
      if (this.#current[place]) continue;
      const session = await this.removals.create();
      if (session === null) continue;
      const conversation = new Conversation(this.#user, session, tabs);
      conversation.open();
      this.#current[place] = conversation;
      this.conversations.push(conversation);
    }
  }

  /** One conversation is left to itself, in the middle of whatever it was in. */
  #retire(count: number): void {
    const place = (count - 1) % TABS.length;
    this.#current[place]?.close();
    this.#current[place] = undefined;
  }

  async #live(plan: Plan): Promise<Kill> {
    const startedAt = performance.now();
    const life = this.#stage.begin(plan.kind === 'failpoint' ? `${plan.name}:${plan.passage}` : null);
    if (plan.kind === 'boot') {
      await pause(plan.afterMs);
      await this.#kill(life);
      return { at: 'boot', startMs: null, firstAck: null, alone: false };
    }
    // A failpoint may be reached before the port is open: an overdue alarm does not wait for it.
    await Promise.race([within(life.ready, READY_TIMEOUT_MS, 'start'), life.reached]);
    const readyAt = performance.now();
    const alone = plan.kind === 'acknowledged' && plan.alone;
    const killedAt = this.#killedAt;
    const asked = plan.kind === 'acknowledged' ? this.#ask() : null;
    if (alone) await asked;
    const load = this.#load(plan);
    const ackedAt = await asked;
    const at = await this.#untilTheEnd(plan, life, readyAt - startedAt);
    if (life.crashed) throw new Error('the runtime has ended by itself');
    await this.#kill(life);
    await load;
    const firstAck = ackedAt === null ? null : { sinceKillMs: ackedAt - killedAt, sinceReadyMs: ackedAt - readyAt };
    return { at, startMs: readyAt - startedAt, firstAck, alone };
  }

  async #kill(life: Life): Promise<void> {
    this.#killedAt = performance.now();
    await life.kill();
  }

  /** Waits for the moment that the plan names; says which one it was in the end. */
  async #untilTheEnd(plan: Plan, life: Life, startMs: number): Promise<Kill['at']> {
    if (plan.kind === 'failpoint') {
      // Where other work slows the start, it slows the way to the failpoint too.
      const late = pause(plan.afterMs + startMs * STARTS_TO_REACH);
      return Promise.race([life.reached.then(() => plan.name), late.then((): 'random' => 'random')]);
    }
    await pause(plan.afterMs);
    return plan.kind;
  }

  /** Somebody comes anew and writes; resolves with when the acknowledgement came. */
  async #ask(): Promise<number> {
    const going = this.#current[0] ?? this.#current[1] ?? this.conversations[0];
    if (!going) throw new Error('there is no conversation');
    const wire = this.#user.wire(going.session);
    going.wires.push(wire.recording);
    const id = `probe-${(this.#probes += 1)}`;
    const text = `Are you there? ${id}`;
    await within(wire.hello(), FIRST_ACK_TIMEOUT_MS, 'welcome');
    going.written.set(id, text);
    await within(wire.ask(id, text), FIRST_ACK_TIMEOUT_MS, 'acknowledge');
    // Left open: its end is the crash's.
    return performance.now();
  }

  /** What people do in this life. Whatever is under way when the process dies fails without a word. */
  async #load(plan: Plan): Promise<void> {
    const name = plan.kind === 'failpoint' ? plan.name : '';
    const random = this.#random;
    const going = this.#current.filter((conversation) => conversation !== undefined);
    for (const conversation of going) conversation.wake();
    const work: Promise<void>[] = [];
    for (const conversation of going) {
      if (conversation.attended && random.next() < RELOAD_SHARE) conversation.reload(random);
      await conversation.write(random);
      if (!conversation.attended) work.push(conversation.post());
    }
    if (going.length < TABS.length) work.push(this.#fill());
    // Making a session is also the surest way to a delivery and to a new alarm.
    const makes = /^(created|delivery|alarm\.(set|cleared))/.test(name);
    const removes = /^(removed|forget|destroy)/.test(name);
    if (makes || (random.next() < MAKE_SHARE && !this.removals.full)) work.push(this.removals.make());
    if (removes || random.next() < REMOVE_SHARE) work.push(this.removals.remove());
    await Promise.all(work);
  }

  /** Everybody is there again. */
  openAll(): void {
    for (const conversation of this.conversations) conversation.open();
  }

  closeAll(): void {
    for (const conversation of this.conversations) conversation.close();
  }
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** Fails loudly instead of waiting for ever. */
async function within<T>(work: Promise<T>, timeoutMs: number, what: string): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`the server did not ${what} within ${timeoutMs} ms`)), timeoutMs);
  });
  return Promise.race([work, late]).finally(() => clearTimeout(timer));
}

import fc from 'fast-check';
import { expect, test } from 'vitest';
import { memoryOutbox } from '../../src/client/memory-outbox.ts';
import { createSessionClient } from '../../src/client/session-client.ts';
import type { SessionClient } from '../../src/client/types.ts';
import type { LogRecord } from '../../src/protocol/records.ts';
import { messageOf, revise, type Message } from '../../src/protocol/transcript.ts';
import { Network } from './support/real-server.ts';
import { settle, VirtualClock } from './support/virtual-clock.ts';

type Step =
  | { do: 'send' | 'say' | 'think'; text: string }
  | { do: 'up' | 'advance' | 'flood'; count: number }
  | { do: 'down'; count: number; twice: boolean }
  | { do: 'edit'; pick: number; text: string }
  | { do: 'cancel'; pick: number }
  | { do: 'flow' | 'open' | 'cut' | 'crash' | 'end' | 'fail' | 'stop' | 'regenerate' | 'wake' };

const text = fc.string({ unit: 'binary', maxLength: 8 }).map((random) => `m${random}`);
// Halves of surrogate pairs too: an answer may be split anywhere.
const piece = fc.array(fc.constantFrom('a', 'é', '\u{1f600}', '\n'), { maxLength: 6 }).map((units) => units.join(''));
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ do: fc.constant('send' as const), text }) },
  { weight: 8, arbitrary: fc.record({ do: fc.constantFrom('say' as const, 'think' as const), text: piece }) },
  { weight: 12, arbitrary: fc.record({ do: fc.constant('up' as const), count: fc.integer({ min: 1, max: 4 }) }) },
  {
    weight: 12,
    arbitrary: fc.record({
      do: fc.constant('down' as const),
      count: fc.integer({ min: 1, max: 5 }),
      twice: fc.boolean(),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({ do: fc.constant('advance' as const), count: fc.constantFrom(100, 1_000, 12_000) }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('flood' as const), count: fc.constantFrom(120, 1_001) }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('edit' as const), pick: fc.nat(9), text }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('cancel' as const), pick: fc.nat(9) }) },
  { weight: 12, arbitrary: fc.record({ do: fc.constantFrom('flow' as const, 'open' as const) }) },
  {
    weight: 12,
    arbitrary: fc.record({
      do: fc.constantFrom(...(['cut', 'crash', 'end', 'end', 'fail', 'stop', 'regenerate', 'wake'] as const)),
    }),
  },
);

/** One client and one real server over a network that does what the steps say. */
class Run {
  readonly network = new Network();
  readonly clock = new VirtualClock();
  readonly client: SessionClient;
  /** Ids in the order of sending, and whether the person tried to withdraw it. */
  readonly sent = new Map<string, { withdrawn: boolean }>();
  #ids = 0;

  constructor() {
    this.client = createSessionClient({
      session: 's',
      clock: this.clock,
      outbox: memoryOutbox(),
      newId: () => `m${(this.#ids += 1)}`,
      openSocket: this.network.openSocket,
      loadOlder: (before) => {
        const { messages, nextBefore } = this.network.world.runtime.page(before, 3);
        return Promise.resolve({ messages, nextBefore });
      },
    });
  }

  /** Ids given out: one to every message, one more to some that were edited. */
  get ids(): number {
    return this.#ids;
  }

  async take(action: Step): Promise<void> {
    const { network, client } = this;
    switch (action.do) {
      case 'send':
        this.sent.set(await client.send(action.text), { withdrawn: false });
        return;
      case 'edit':
      case 'cancel':
        return this.#change(action);
      case 'up':
        return network.up(action.count);
      case 'down':
        return network.down(action.count, action.twice);
      case 'advance':
        return this.advance(action.count);
      case 'flood':
        return this.#flood(action.count);
      case 'flow':
        return this.flow();
      case 'open':
        return network.open();
      case 'cut':
        return network.cut();
      case 'crash':
        return network.crash();
      case 'say':
      case 'think':
      case 'end':
      case 'fail':
        return this.model(action);
      case 'stop':
        return client.stop();
      case 'regenerate':
        return client.regenerate();
      case 'wake':
        return client.wake();
    }
  }

  async #change(action: Extract<Step, { do: 'edit' | 'cancel' }>): Promise<void> {
    const id = [...this.sent.keys()][action.pick];
    if (id === undefined) return;
    if (action.do === 'cancel') this.sent.set(id, { withdrawn: true });
    const change = action.do === 'cancel' ? this.client.cancel(id) : this.client.edit(id, action.text);
    change.catch(() => {});
    await settle();
  }

  /** The network works for a while. */
  async flow(): Promise<void> {
    for (let round = 0; round < 3; round += 1) {
      await this.network.open();
      await this.network.up(100);
      await this.network.down(100);
    }
  }

  /** More records than a first page or a replay holds. */
  async #flood(count: number): Promise<void> {
    const { runtime } = this.network.world;
    for (let index = 0; index < count; index += 1) runtime.dispatch({ type: 'update', title: `${runtime.state.seq}` });
    await settle();
  }

  async model(action: { do: string; text?: string }): Promise<void> {
    const { model } = this.network.world;
    try {
      if (action.do === 'say') await model.say(action.text ?? '');
      else if (action.do === 'think') await model.think(action.text ?? '');
      else if (action.do === 'fail') await model.fail(new Error('broken'));
      else await model.end();
    } catch {
      // Nobody reads from the model just now.
    }
  }

  async advance(ms: number): Promise<void> {
    await this.network.world.advance(ms);
    await this.clock.advance(ms);
  }

  records(): LogRecord[] {
    return this.network.world.records();
  }

  /** From here on the network is whole; everything comes to rest. */
  async heal(): Promise<void> {
    for (let round = 0; round < 200; round += 1) {
      await this.network.open();
      await this.network.up(100);
      await this.network.down(100);
      if (this.#rests()) return;
      await this.model({ do: 'end' });
      await this.advance(500);
    }
    throw new Error(`does not come to rest: ${JSON.stringify(this.client.view)}`);
  }

  #rests(): boolean {
    const { connection, pending, queue } = this.client.view;
    const { seq } = this.network.world.runtime.state;
    const held = this.records().at(-1)?.seq === seq;
    // A new text for a message that was answered long ago is left for the person to decide.
    const isDone = pending.every(({ refused }) => refused?.code === 'id_conflict');
    return connection === 'live' && isDone && queue.running === null && held && this.network.quiet;
  }
}

function fold(records: readonly LogRecord[]): Message[] {
  const messages: Message[] = [];
  for (const record of records) {
    messages.forEach((message, index) => {
      messages[index] = revise(message, record);
    });
    const message = messageOf(record);
    if (message) messages.push(message);
  }
  return messages;
}

async function check(steps: readonly Step[]): Promise<void> {
  const run = new Run();
  try {
    for (const action of steps) await run.take(action);
    await run.heal();
    while (run.client.view.olderBefore !== null) await run.client.loadOlder();
    const { view } = run.client;
    expect(view.messages).toEqual(fold(run.records()));
    expect(view.running).toBeNull();
    const logged = run.records().flatMap((record) => (record.kind === 'message' ? [record.id] : []));
    expect(new Set(logged).size, 'no message twice').toBe(logged.length);
    const own = logged.filter((id) => run.sent.has(id));
    const kept = [...run.sent].filter(([id, { withdrawn }]) => !withdrawn || logged.includes(id)).map(([id]) => id);
    // What was edited after a refusal of its id is sent under a new one, at a place of its own.
    expect(own, 'every message once, in the order of sending').toEqual(kept);
    expect(logged.length - own.length, 'nothing that nobody sent').toBeLessThanOrEqual(run.ids - run.sent.size);
  } finally {
    run.client.close();
  }
}

test('whatever the network does, after it healed the view is the log and every message is in it exactly once, in order', async () => {
  await fc.assert(fc.asyncProperty(fc.array(step, { minLength: 30, maxLength: 120, size: 'max' }), check), {
    numRuns: 80,
    // Shrinking a run of a hundred steps takes longer than reading it; the seed repeats it.
    endOnFailure: true,
  });
}, 120_000);

test('what is shown of a running answer is always a beginning of it, over cuts at every place', async () => {
  const whole = 'One 😀 two é three 𝄞 four';
  const pieces = fc.array(fc.integer({ min: 0, max: whole.length }), { maxLength: 12, size: 'max' });
  await fc.assert(
    fc.asyncProperty(
      pieces,
      fc.array(fc.nat(4), { minLength: 12, maxLength: 24, size: 'max' }),
      async (splits, moves) => {
        const run = new Run();
        const { network, client } = run;
        await run.take({ do: 'send', text: 'q' });
        await network.open();
        await network.up(10);
        await network.down(10);
        await network.up(10);
        const cutsAt = [0, ...splits.toSorted((one, other) => one - other), whole.length];
        const parts = cutsAt.slice(1).map((end, index) => whole.slice(cutsAt[index], end));
        for (const move of moves) {
          const part = parts.shift();
          if (part !== undefined) await run.model({ do: 'say', text: part });
          if (move === 0) await network.cut();
          if (move === 1) await run.advance(1_000);
          if (move !== 2) await network.open();
          await network.up(move);
          await network.down(move, move === 3);
          expect(whole.startsWith(client.view.running?.text ?? '')).toBe(true);
        }
        await run.model({ do: 'say', text: parts.join('') });
        await run.heal();
        expect(client.view.messages.at(-1)).toMatchObject({ role: 'bot', text: whole, status: 'complete' });
        client.close();
      },
    ),
    { numRuns: 60 },
  );
}, 120_000);

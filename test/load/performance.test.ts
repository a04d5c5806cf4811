/**
 * Is the product as fast as it was? It answers the same number of messages as a bare object, in turns, in one run and
 * on one model, and what is held against the stored figure is how the two compare: machines differ, and so does what
 * else they do. Processor time is compared, not speed: a busy machine takes speed away and leaves the work.
 *
 * A change that is meant to cost, or that made things faster, comes with a new figure in `performance.json`.
 */
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, test } from 'vitest';
import * as z from 'zod/mini';
import type { BareMode } from '../../load/bare-object/modes.ts';
import { BareUser } from '../../load/bare-user.ts';
import { startBareObject, startModel, SwitchboardServer, type Started } from '../../load/lab/servers.ts';
import { processorSeconds } from '../../load/processes.ts';
import { messageId, messageText } from '../../load/message.ts';
import { stateFolder } from '../../load/state-folder.ts';
import { median } from '../../load/statistics.ts';
import { SwitchboardUser } from '../../load/switchboard/user.ts';
import type { LoadUser } from '../../load/user.ts';

const PAIRS = 7;
/** The history follows an answer by a second: it is the product's work, too. */
const HISTORY_MS = 1_300;
/** What the ratio may fall below the stored one: a third more work. */
const MAX_FALL = 0.25;
/** A starved machine takes many times as long as a quiet one. */
const TIMEOUT_MS = 300_000;

/** Processor time of the bare object for an answer, over the product's for the same: 1 would be no more work than its. */
const STORED = z
  .object({ answer: z.number(), stream: z.number() })
  .parse(JSON.parse(readFileSync(new URL('performance.json', import.meta.url), 'utf8')));

interface Course {
  name: keyof typeof STORED;
  about: string;
  users: number;
  model: { tokens: number; tokenMs: number; tokensPerWrite: number };
  mode: BareMode;
  /** Of each user in a round, and before the first: then prompts are as long as they get, and code is compiled. */
  messages: number;
  messagesBefore: number;
}

const COURSES: readonly Course[] = [
  {
    name: 'answer',
    about: 'an answer that comes at once: what durability, acknowledgement and history cost',
    users: 10,
    model: { tokens: 20, tokenMs: 0, tokensPerWrite: 0 },
    mode: 'whole',
    messages: 30,
    messagesBefore: 60,
  },
  {
    name: 'stream',
    about: 'an answer of 200 tokens, 3 ms each: what reading and forwarding cost',
    users: 40,
    model: { tokens: 200, tokenMs: 3, tokensPerWrite: 1 },
    mode: 'each',
    messages: 2,
    messagesBefore: 4,
  },
];

const started: Started[] = [];

afterEach(async () => {
  for (const server of started.splice(0).toReversed()) await server.stop();
});

function keep<T extends Started>(server: T): T {
  started.push(server);
  return server;
}

/** One after the other, each when the one before is answered. */
async function say(user: LoadUser, number: number, first: number, messages: number): Promise<void> {
  for (let own = first; own < first + messages; own += 1) {
    const id = messageId(number, own);
    await new Promise<void>((resolve, reject) => {
      const failed = (problem: string): void => reject(new Error(problem));
      user.listen({
        acknowledged: () => undefined,
        firstToken: () => undefined,
        replied: (answered, _text, problem) => {
          if (answered === id && problem === null) resolve();
          else if (problem !== null) failed(problem);
        },
        gone: failed,
      });
      user.send(id, messageText(number, own));
    });
  }
}

function sayAll(users: readonly LoadUser[], first: number, messages: number): Promise<unknown> {
  return Promise.all(users.map((user, number) => say(user, number, first, messages)));
}

/** Processor seconds of the two for each round, in pairs. */
async function ratioOf({ users, model: settings, mode, messages, messagesBefore }: Course): Promise<number> {
  const model = keep(await startModel(settings));
  const bare = keep(await startBareObject(model.url));
  const own = keep(await SwitchboardServer.start({ modelUrl: model.url, state: stateFolder(null).path }));
  const bareUsers: LoadUser[] = [];
  const ownUsers: LoadUser[] = [];
  for (let number = 0; number < users; number += 1) {
    bareUsers.push(await BareUser.connect(bare.url, `user ${number}`, mode));
    ownUsers.push(await SwitchboardUser.connect(own.url));
  }
  const used = (): [number, number] => [processorSeconds(bare.pid ?? 0) ?? NaN, processorSeconds(own.pid ?? 0) ?? NaN];
  /** Each is a process of its own: what one still does while the other answers is counted as its own. */
  const round = async (first: number, count: number): Promise<number> => {
    const before = used();
    await sayAll(ownUsers, first, count);
    const history = sleep(HISTORY_MS);
    await sayAll(bareUsers, first, count);
    await history;
    const after = used();
    return (after[0] - before[0]) / (after[1] - before[1]);
  };
  await round(0, messagesBefore);
  const ratios: number[] = [];
  for (let pair = 0; pair < PAIRS; pair += 1) ratios.push(await round(messagesBefore + pair * messages, messages));
  for (const user of [...bareUsers, ...ownUsers]) user.close();
  return median(ratios);
}

// Only Linux tells the processor time of another process. A fall is believed when it is seen twice.
describe.skipIf(process.platform !== 'linux')('the work for an answer, against a bare object', () => {
  test.each(COURSES)('$about', { timeout: TIMEOUT_MS, retry: 1 }, async (course) => {
    const ratio = await ratioOf(course);
    const stored = STORED[course.name];
    console.log(
      `[performance] ${course.name}: a bare object's work is ${ratio.toFixed(2)} of ours, ${stored} when stored`,
    );
    expect(ratio).toBeGreaterThan(stored * (1 - MAX_FALL));
  });
});

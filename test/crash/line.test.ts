/**
 * The runtime is killed while a hundred turns wait in a line of two slots. Afterwards each has exactly
 * one reply, and the model never answered three at once. `SEED=n` repeats a run.
 */
import { expect, test } from 'vitest';
import { eventually, readLog } from '../support/observe.ts';
import { seeded, seedFromEnvironment } from '../support/random.ts';
import { RealServer } from '../support/real-server.ts';
import type { User } from '../support/user.ts';

const SEED = seedFromEnvironment(11);
const TURNS = 100;
const USERS = 10;
const SLOTS = 2;
const KILLS = 5;
const DRAIN_TIMEOUT_MS = 90_000;
const TEST_TIMEOUT_MS = 180_000;

const NARROW = { id: 'narrow', name: 'Narrow', model: 'simulator', concurrency: SLOTS };

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

interface Asked {
  user: User;
  session: string;
  id: string;
}

test(
  'B, S14, S26: killed with a hundred turns in a line of two slots: none lost, none doubled, never three at once',
  async () => {
    const random = seeded(SEED);
    const server = await RealServer.forTest({
      variables: { BOTS: JSON.stringify([NARROW]) },
      // The model itself would take all of them at once: what keeps to two is the line.
      simulator: { tokens: 6, tokenMs: 10, parallel: TURNS },
    });
    const users = Array.from({ length: USERS }, () => server.user());
    const asked: Asked[] = [];
    for (let turn = 0; turn < TURNS; turn += 1) {
      const user = users[turn % USERS] ?? server.user();
      const session = await user.session({ bot: NARROW.id });
      asked.push({ user, session, id: `turn-${turn}` });
    }
    const taken = await Promise.all(asked.map(({ user, session, id }) => user.post(session, id, `Question ${id}`)));
    expect(taken.map(({ status }) => status)).toEqual(Array.from({ length: TURNS }, () => 202));

    for (let kill = 0; kill < KILLS; kill += 1) {
      await pause(random.between(200, 900));
      await server.kill();
      await server.restart();
    }

    // Nobody is connected: the line moves by itself.
    const answered = async (): Promise<number> => {
      const count = (await server.d1()).prepare(`SELECT count(*) AS n FROM messages WHERE role = 'bot'`);
      return (await count.first<number>('n')) ?? 0;
    };
    await eventually(answered, (count) => count >= TURNS, DRAIN_TIMEOUT_MS);
    const logs = await Promise.all(asked.map(({ user, session }) => readLog(user, session)));
    const replies = logs.map((log) => log.filter(({ kind }) => kind === 'reply').length);
    const failed = logs.flat().filter(({ kind }) => kind === 'failed');
    console.log(
      `line: seed ${SEED}, ${TURNS} turns, ${SLOTS} slots, ${KILLS} kills: ${replies.filter((count) => count === 1).length} answered once, ` +
        `at most ${server.simulator.stats().maxInFlight} at once, ${logs.flat().filter(({ kind }) => kind === 'restarted').length} begun again`,
    );
    expect(failed).toEqual([]);
    expect(replies).toEqual(Array.from({ length: TURNS }, () => 1));
    expect(server.simulator.stats().maxInFlight).toBe(SLOTS);
  },
  TEST_TIMEOUT_MS,
);

/** Whatever happens, what the lab started is ended. */
import { existsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { describe, expect, test } from 'vitest';
import { closedLoop } from '../../load/driver.ts';
import { Lab } from '../../load/lab/lab.ts';
import { SwitchboardServer } from '../../load/lab/servers.ts';
import { childrenNamed } from '../../load/processes.ts';
import { LoadError } from '../../load/scenario.ts';
import { messageId } from '../../load/message.ts';
import type { LoadUser, UserEvents } from '../../load/user.ts';
import { SCENARIO_OPTIONS } from '../support/scenario-options.ts';

test('one that cannot be stopped does not leave the others running, and is told of', async () => {
  const stopped: string[] = [];
  const of = (name: string, fails = false) => ({
    stop: async () => {
      stopped.push(name);
      if (fails) throw new Error(`${name} does not stop`);
    },
  });
  const started = async (lab: Lab): Promise<string> => {
    for (const [name, fails] of [
      ['first', false],
      ['second', true],
      ['third', true],
      ['last', false],
    ] as const) {
      await lab.keep(Promise.resolve(of(name, fails)));
    }
    return 'done';
  };
  await expect(Lab.run(SCENARIO_OPTIONS, started)).rejects.toThrow('third does not stop');
  expect(stopped).toEqual(['last', 'third', 'second', 'first']);
  // What ended the run matters more than what its end met with.
  const failing = async (lab: Lab): Promise<never> => {
    await started(lab);
    throw new LoadError('not_finished', 'the run itself');
  };
  await expect(Lab.run(SCENARIO_OPTIONS, failing)).rejects.toThrow('the run itself');
});

test(
  'a server that is stopped while it begins another life leaves no runtime behind',
  { timeout: 60_000 },
  async () => {
    const before = childrenNamed('workerd');
    const added = (): number[] => [...childrenNamed('workerd')].filter((pid) => !before.has(pid));
    const server = await SwitchboardServer.start({ modelUrl: 'http://127.0.0.1:9', state: tmpdir() });
    const { pid: first } = server;
    const restarting = server.restart().catch((error: unknown) => error);
    // The next life has a process, and nobody knows it yet.
    await expect.poll(() => added().some((pid) => pid !== first), { interval: 5 }).toBe(true);
    expect(server.pid).toBeNull();
    await server.stop();
    await restarting;
    expect(added()).toEqual([]);
    expect(server.pid).toBeNull();
    expect(existsSync(server.folder)).toBe(false);
    await expect(server.restart()).rejects.toThrow(LoadError);
  },
);

describe('users who talk in a closed loop', () => {
  const user = (listen: LoadUser['listen'] = () => undefined): LoadUser => ({
    received: { frames: 0, characters: 0 },
    pongs: 0,
    live: true,
    connects: 1,
    listen,
    send: () => undefined,
    setReading: () => undefined,
    close: () => undefined,
  });
  const talk = (one: LoadUser, signal: AbortSignal) =>
    closedLoop([one], { windowMs: 20_000, signal, atEnd: () => undefined });

  test('Ctrl-C does not wait for answers that never come', async () => {
    const controller = new AbortController();
    const startedAt = performance.now();
    const talking = talk(user(), controller.signal);
    controller.abort(new LoadError('not_finished', 'Interrupted.'));
    await expect(talking).rejects.toThrow('Interrupted.');
    expect(performance.now() - startedAt).toBeLessThan(2_000);
    await expect(talk(user(), controller.signal)).rejects.toThrow('Interrupted.');
  });

  test('an early end of the window does: what is open then is an answer, too', async () => {
    const controller = new AbortController();
    const told: UserEvents[] = [];
    const talking = talk(
      user((events) => void told.push(events)),
      controller.signal,
    );
    controller.abort();
    expect(told).toHaveLength(1);
    told[0]?.replied(messageId(0, 0), 'an answer', null);
    expect((await talking).exchanges).toMatchObject([[{ reply: 'an answer' }]]);
  });
});

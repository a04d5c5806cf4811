/** One server has one life at a time, and none when all of it has ended, however these fall together. */
import { expect, test } from 'vitest';
import { Lives } from '../../load/lab/lives.ts';
import { LoadError } from '../../load/scenario.ts';

function recorded() {
  const events: string[] = [];
  const lives = new Lives<string>(async (life) => {
    await Promise.resolve();
    events.push(`${life} killed`);
  });
  const begin = (life: string, ready?: Promise<void>) =>
    lives.begin(async () => {
      events.push(`${life} begins`);
      await ready;
      events.push(`${life} began`);
      return life;
    });
  return { events, lives, begin };
}

test('a life begins when the one before it is over', async () => {
  const { events, lives, begin } = recorded();
  await begin('first');
  expect(lives.current).toBe('first');
  await begin('second');
  expect(lives.current).toBe('second');
  await lives.kill();
  await lives.kill();
  expect(lives.current).toBeNull();
  const ofFirst = ['first begins', 'first began', 'first killed'];
  expect(events).toEqual([...ofFirst, 'second begins', 'second began', 'second killed']);
});

test('the end waits for a life that is still beginning, and ends it, too', async () => {
  const { events, lives, begin } = recorded();
  await begin('first');
  const { promise: ready, resolve } = Promise.withResolvers<void>();
  const beginning = begin('second', ready);
  await expect.poll(() => events.at(-1), { interval: 1 }).toBe('second begins');
  const ending = lives.end();
  resolve();
  await Promise.all([beginning, ending]);
  expect(lives.current).toBeNull();
  expect(events.slice(-2)).toEqual(['second began', 'second killed']);
  const { length } = events;
  await expect(begin('third')).rejects.toThrow(LoadError);
  expect(events).toHaveLength(length);
});

test('one that fails to begin is told of, and leaves room for another', async () => {
  const { events, lives, begin } = recorded();
  await expect(begin('first', Promise.reject(new Error('taken')))).rejects.toThrow('taken');
  expect(lives.current).toBeNull();
  await begin('second');
  await lives.end();
  expect(events).toEqual(['first begins', 'second begins', 'second began', 'second killed']);
});

test('what is to begin while its forerunner is still being killed does not, when all of it ends', async () => {
  const { events, lives, begin } = recorded();
  await begin('first');
  const beginning = begin('second');
  await Promise.all([expect(beginning).rejects.toThrow(LoadError), lives.end()]);
  expect(events).toEqual(['first begins', 'first began', 'first killed']);
});

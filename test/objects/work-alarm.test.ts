/** The alarm of a session at work: when it is set, when it goes off, when it is taken back. */
import { expect, test } from 'vitest';
import { quietWorld, send } from '../support/fake-world.ts';

test('S18: with an open turn there is an alarm set or running; at rest there is none', async () => {
  const fake = await quietWorld();
  expect(fake.alarmAt).toBeNull();
  expect(fake.alarming).toBeNull();
  const tab = await fake.join();
  await fake.say(tab, send('a'));
  expect(fake.alarmAt).toBe(fake.time + 2_000);
  await fake.advance(30_000);
  expect(fake.alarming).not.toBeNull();
  await fake.model.end();
  await fake.advance(10_000);
  expect(fake.alarming).toBeNull();
  expect(fake.alarmAt).toBeNull();
  expect(fake.delivered).toEqual(fake.records());
});

test('S18: work that is soon over takes its alarm back, and the next has one again', async () => {
  const fake = await quietWorld();
  const tab = await fake.join();
  for (const id of ['a', 'b']) {
    await fake.say(tab, send(id));
    expect(fake.alarmAt).toBe(fake.time + 2_000);
    await fake.advance(300);
    await fake.model.end();
    await fake.advance(1_500);
    expect(fake.delivered).toEqual(fake.records());
    expect(fake.alarmAt).toBeNull();
  }
  expect(fake.alarmsFired).toBe(0);
});

test('S18: who speaks now and then is let sleep soon after the answer, who speaks again at once, when it is quiet', async () => {
  const fake = await quietWorld();
  const tab = await fake.join();
  const turn = async (id: string, afterMs: number) => {
    await fake.advance(afterMs);
    await fake.say(tab, send(id));
    await fake.advance(300);
    await fake.model.end();
  };
  for (const id of ['a', 'b']) {
    await turn(id, 3_000);
    await fake.advance(150);
    expect(fake.delivered).toEqual(fake.records());
    expect(fake.alarmAt).toBeNull();
  }
  const had = fake.records();
  for (const id of ['c', 'd', 'e']) await turn(id, 500);
  await fake.advance(800);
  expect(fake.delivered).toEqual(had);
  await fake.advance(300);
  expect(fake.delivered).toEqual(fake.records());
  expect(fake.deliveries).toBe(4);
});

test('S18: an answer that took long is not waited for by its alarm any longer than a short one', async () => {
  const fake = await quietWorld();
  await fake.say(await fake.join(), send('a'));
  await fake.advance(30_400);
  expect(fake.alarming).not.toBeNull();
  await fake.model.end();
  await fake.advance(150);
  expect(fake.delivered).toEqual(fake.records());
  expect(fake.alarming).toBeNull();
});

test('S18, S19: a new process has nothing to do where D1 has all, and sends the last few again beside the next', async () => {
  const fake = await quietWorld();
  await fake.say(await fake.join(), send('a'));
  await fake.model.end();
  await fake.advance(1_500);
  const had = fake.records();
  expect(fake.delivered).toEqual(had);
  const { alarmsSet } = fake;
  await fake.restart();
  await fake.advance(60_000);
  expect(fake.delivered).toEqual(had);
  expect(fake.alarmsSet).toBe(alarmsSet);
  await fake.say(await fake.join(), send('b'));
  await fake.model.end();
  await fake.advance(1_500);
  expect(fake.delivered).toEqual([...had, ...fake.records()]);
  expect(fake.alarmAt).toBeNull();
});

test('S14, S18: an alarm that is due when the process starts is not put off; a far one is', async () => {
  const fake = await quietWorld();
  await fake.say(await fake.join(), send('a'));
  await fake.advance(2_000);
  expect(fake.alarming).not.toBeNull();
  const before = fake.alarmsSet;
  await fake.restart();
  expect(fake.alarmsSet).toBe(before);
  expect(fake.alarming).not.toBeNull();
  // Whatever comes next must not find an object that only believes in an alarm.
  fake.alarming = null;
  fake.alarmAt = fake.time + 60_000;
  await fake.restart();
  expect(fake.alarmAt).toBe(fake.time + 2_000);
});

test('S18: a turn longer than one alarm may take is handed to the next alarm', async () => {
  const fake = await quietWorld();
  await fake.say(await fake.join(), send('a'));
  await fake.advance(25 * 60_000);
  expect(fake.alarming).not.toBeNull();
  expect(fake.alarmsSet).toBe(4);
});

test('S18: while D1 is down an erasure is tried ever more rarely', async () => {
  const fake = await quietWorld();
  fake.d1Down = true;
  const before = fake.alarmsSet;
  fake.runtime.remove(4404);
  await fake.advance(120_000);
  // After half a second, one, two, four and so on.
  expect(fake.alarmsSet - before).toBeLessThan(12);
  fake.d1Down = false;
  await fake.advance(120_000);
  expect(fake.alarmAt).toBeNull();
});

import { beforeEach, expect, test } from 'vitest';
import { QueueTeller } from '../../src/objects/queue-teller.ts';

let timers: Set<{ callback: () => void; delayMs: number }>;
let told: number;
let teller: QueueTeller;

beforeEach(() => {
  timers = new Set();
  told = 0;
  const setTimer = (callback: () => void, delayMs: number): (() => void) => {
    const timer = { callback, delayMs };
    timers.add(timer);
    return () => timers.delete(timer);
  };
  teller = new QueueTeller({ setTimer }, () => (told += 1));
});

function fire(): void {
  const due = [...timers];
  timers.clear();
  for (const { callback } of due) callback();
}

test('a short queue is told at every change', () => {
  for (const waiting of [1, 8, 3, 0]) teller.changed(waiting);
  expect(told).toBe(4);
  expect(timers.size).toBe(0);
});

test('a long one a quarter of a second after a change, however many come meanwhile, and again after the next', () => {
  for (let waiting = 9; waiting <= 100; waiting += 1) teller.changed(waiting);
  expect(told).toBe(0);
  expect([...timers].map(({ delayMs }) => delayMs)).toEqual([250]);
  fire();
  expect(told).toBe(1);
  fire();
  expect(told).toBe(1);
  teller.changed(99);
  fire();
  expect(told).toBe(2);
});

test('a very long one waits longer: so many of its turns are told a second, and no more', () => {
  teller.changed(100);
  expect([...timers].map(({ delayMs }) => delayMs)).toEqual([1_000]);
});

test('one that is short again is told at once, and only once', () => {
  teller.changed(9);
  teller.changed(8);
  expect(told).toBe(1);
  expect(timers.size).toBe(0);
  teller.changed(9);
  fire();
  expect(told).toBe(2);
});

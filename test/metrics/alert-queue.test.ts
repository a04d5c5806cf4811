import { expect, it } from 'vitest';
import {
  alertTried,
  dueAlerts,
  enqueueAlerts,
  MAX_ALERT_TRIES,
  nextAlertAt,
  type WaitingAlert,
} from '../../src/metrics/alert-queue.ts';
import type { AlertView } from '../../src/metrics/alert-rules.ts';

const firing = (change: Partial<AlertView> = {}): AlertView => ({
  rule: 'errors',
  severity: 'warning',
  bot: 'a',
  value: 1,
  threshold: 0.05,
  startedAt: 1_000,
  resolvedAt: null,
  ...change,
});
const resolved = (change: Partial<AlertView> = {}): AlertView => firing({ resolvedAt: 2_000, ...change });
const queue = (alerts: readonly AlertView[], now: number): WaitingAlert[] => enqueueAlerts([], alerts, now).waiting;
const due = (waiting: readonly WaitingAlert[], now: number): AlertView[] =>
  dueAlerts(waiting, now).map(({ alert }) => alert);

it('an end waits for its beginning, in the same round and while that waits for its next try', () => {
  let waiting = queue([firing(), resolved()], 0);
  expect(due(waiting, 0)).toEqual([firing()]);
  ({ waiting } = alertTried(waiting, firing(), false, 0));
  expect(due(waiting, 0)).toEqual([]);
  expect(nextAlertAt(waiting), 'nothing can be done earlier').toBe(5_000);
  expect(due(waiting, 5_000)).toEqual([firing()]);
  ({ waiting } = alertTried(waiting, firing(), true, 5_000));
  expect(due(waiting, 5_000)).toEqual([resolved()]);
  expect(nextAlertAt(waiting)).toBe(0);
});

it('an end goes out once its beginning was given up', () => {
  let waiting = queue([firing(), resolved()], 0);
  for (let tries = 0; tries < MAX_ALERT_TRIES; tries += 1) {
    ({ waiting } = alertTried(waiting, firing(), false, 0));
  }
  expect(due(waiting, 0)).toEqual([resolved()]);
});

it('nobody waits for another alert: of another rule, severity, bot or time', () => {
  const others = [
    resolved({ rule: 'slow' }),
    resolved({ severity: 'critical' }),
    resolved({ bot: 'b' }),
    resolved({ startedAt: 1_500 }),
  ];
  const { waiting } = alertTried(queue([firing(), ...others], 0), firing(), false, 0);
  expect(due(waiting, 0)).toEqual(others);
  expect(nextAlertAt(waiting)).toBe(0);
});

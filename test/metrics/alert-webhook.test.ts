import { createHmac } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import {
  alertTried,
  dueAlerts,
  enqueueAlerts,
  MAX_ALERT_TRIES,
  MAX_WAITING_ALERTS,
  nextAlertAt,
  type WaitingAlert,
} from '../../src/metrics/alert-queue.ts';
import type { AlertView } from '../../src/metrics/alert-rules.ts';
import { alertMessageId, alertSignature, deliverAlert } from '../../src/metrics/alert-webhook.ts';

const NOW = 1_700_000_000_123;
const SECRET = 'a-secret-of-at-least-32-characters!!';
const ALERT: AlertView = {
  rule: 'errors',
  severity: 'critical',
  bot: 'helper',
  value: 0.25,
  threshold: 0.05,
  startedAt: NOW - 60_000,
  resolvedAt: null,
};

interface Received {
  method: string | undefined;
  url: string | undefined;
  headers: Record<string, unknown>;
  body: string;
}

/** A receiver that answers as told; `answer` null never does. */
async function receiver(answer: { status: number; headers?: Record<string, string> } | null) {
  const received: Received[] = [];
  const server = createServer((request, response) => {
    let body = '';
    request.setEncoding('utf8').on('data', (chunk: string) => (body += chunk));
    request.on('end', () => {
      received.push({ method: request.method, url: request.url, headers: { ...request.headers }, body });
      if (answer) response.writeHead(answer.status, answer.headers).end('thanks');
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  return { received, url: `http://127.0.0.1:${port}/alerts` };
}

describe('delivery', () => {
  it('posts a signed body that a receiver can verify by the Standard Webhooks scheme', async () => {
    const { received, url } = await receiver({ status: 204 });
    expect(await deliverAlert({ url, secret: SECRET }, ALERT, fetch, NOW)).toEqual({ delivered: true, status: 204 });
    const [request] = received;
    expect([request?.method, request?.url, request?.headers['content-type']]).toEqual([
      'POST',
      '/alerts',
      'application/json',
    ]);
    const id = String(request?.headers['webhook-id']);
    const timestamp = String(request?.headers['webhook-timestamp']);
    expect(timestamp).toBe('1700000000');
    const expected = createHmac('sha256', SECRET).update(`${id}.${timestamp}.${request?.body}`).digest('base64');
    expect(request?.headers['webhook-signature']).toBe(`v1,${expected}`);
    expect(JSON.parse(request?.body ?? '')).toEqual({
      type: 'alert.firing',
      timestamp: new Date(ALERT.startedAt).toISOString(),
      data: { ...ALERT, summary: 'This share of turns fails.' },
    });
  });

  // The example of the scheme's own documentation.
  it('takes the key of a whsec_ secret for base64', () => {
    const signature = alertSignature(
      'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw',
      'msg_p5jXN8AQM9LWM0D4loKWxJek',
      1_614_265_330,
      '{"test": 2432232314}',
    );
    expect(signature).toBe('v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=');
  });

  it('keeps the id over tries, and gives the end of an alert one of its own', () => {
    expect(alertMessageId({ ...ALERT, value: 0.9 })).toBe(alertMessageId(ALERT));
    const others = [
      { resolvedAt: NOW },
      { bot: 'other' },
      { rule: 'x' },
      { severity: 'warning' as const },
      { startedAt: 1 },
    ];
    const ids = [ALERT, ...others.map((change) => ({ ...ALERT, ...change }))].map(alertMessageId);
    expect(new Set(ids).size).toBe(ids.length);
    expect(ids.every((id) => /^msg_[\w-]{27}$/.test(id))).toBe(true);
  });

  it.each([
    [{ status: 500 }, 'HTTP 500'],
    [{ status: 404 }, 'HTTP 404'],
  ])('is not delivered by %j', async (answer, reason) => {
    const { url } = await receiver(answer);
    expect(await deliverAlert({ url, secret: SECRET }, ALERT, fetch, NOW)).toEqual({ delivered: false, reason });
  });

  it('follows no redirect: the signed body goes nowhere else', async () => {
    const elsewhere = await receiver({ status: 200 });
    const { url } = await receiver({ status: 307, headers: { location: elsewhere.url } });
    const outcome = await deliverAlert({ url, secret: SECRET }, ALERT, fetch, NOW);
    expect([outcome.delivered, elsewhere.received]).toEqual([false, []]);
  });

  it('gives up a receiver that does not answer within 5 s', async () => {
    const { url } = await receiver(null);
    const startedAt = performance.now();
    const outcome = await deliverAlert({ url, secret: SECRET }, ALERT, fetch, NOW);
    expect(outcome).toEqual({ delivered: false, reason: 'no answer in time' });
    expect(performance.now() - startedAt).toBeGreaterThan(4_900);
    expect(performance.now() - startedAt).toBeLessThan(7_000);
  }, 15_000);

  it('says that nobody is there, and not where', async () => {
    const outcome = await deliverAlert({ url: 'http://127.0.0.1:9/key=x', secret: SECRET }, ALERT, fetch, NOW);
    expect(outcome).toEqual({ delivered: false, reason: 'unreachable' });
  });
});

describe('what waits', () => {
  const other = { ...ALERT, rule: 'slow_p95' };

  it('is tried in order, again after a wait that doubles, and then no more', () => {
    let { waiting } = enqueueAlerts([], [ALERT, other], NOW);
    expect(dueAlerts(waiting, NOW).map(({ alert }) => alert.rule)).toEqual(['errors', 'slow_p95']);
    waiting = alertTried(waiting, other, true, NOW).waiting;
    const waits: number[] = [];
    let now = NOW;
    let gaveUp = false;
    for (let tries = 1; !gaveUp; tries += 1) {
      ({ waiting, gaveUp } = alertTried(waiting, ALERT, false, now));
      const next = nextAlertAt(waiting);
      if (next === null) {
        expect([tries, gaveUp]).toEqual([MAX_ALERT_TRIES, true]);
        break;
      }
      waits.push(next - now);
      expect(dueAlerts(waiting, next - 1)).toEqual([]);
      now = next;
    }
    expect(waits).toEqual([5, 10, 20, 40, 80, 160, 320, 640, 900, 900, 900].map((seconds) => seconds * 1_000));
  });

  it('is there once, and stays within its bound: the oldest gives way', () => {
    let waiting: WaitingAlert[] = [];
    const many = Array.from({ length: MAX_WAITING_ALERTS + 3 }, (_, i) => ({ ...ALERT, startedAt: i }));
    const first = enqueueAlerts(waiting, many, NOW);
    waiting = first.waiting;
    expect([waiting.length, first.dropped.map(({ startedAt }) => startedAt)]).toEqual([MAX_WAITING_ALERTS, [0, 1, 2]]);
    expect(enqueueAlerts(waiting, [many[10] ?? ALERT], NOW).waiting).toEqual(waiting);
  });

  it('is not changed by what became of an alert that gave way meanwhile', () => {
    const { waiting } = enqueueAlerts([], [other], NOW);
    expect(alertTried(waiting, ALERT, false, NOW)).toEqual({ waiting, gaveUp: false });
  });
});

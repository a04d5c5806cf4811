import { describe, expect, it } from 'vitest';
import { HistoryError } from '../../src/history/error.ts';
import type { ListedAlert } from '../../src/history/alerts.ts';
import { harness, problemOf, TOKEN } from './harness.ts';

const OPERATOR = { headers: { authorization: `Bearer ${TOKEN}` } };
const ALERT: ListedAlert = {
  bot: 'helper',
  rule: 'errors',
  severity: 'critical',
  startedAt: 1_700_000_000_000,
  resolvedAt: null,
  value: 0.2,
  threshold: 0.05,
};

function server() {
  const h = harness();
  const asked: unknown[] = [];
  h.deps.history.listAlerts = (page) => {
    asked.push(page);
    if (page.cursor === 'bad') throw new HistoryError('bad_request', 'The cursor is not one that this list gave.');
    return Promise.resolve({ alerts: [ALERT, { ...ALERT, rule: 'of_an_older_version' }], nextCursor: 'next' });
  };
  return { ...h, asked };
}

describe('GET /api/alerts', () => {
  it('is for operators', async () => {
    const { app, asked } = server();
    expect((await app.request('/api/alerts')).status).toBe(401);
    expect(asked).toEqual([]);
  });

  it('lists alerts with what their rule means', async () => {
    const { app, asked } = server();
    const response = await app.request('/api/alerts', OPERATOR);
    expect(await response.json()).toEqual({
      alerts: [
        { ...ALERT, summary: 'This share of turns fails.' },
        { ...ALERT, rule: 'of_an_older_version', summary: null },
      ],
      nextCursor: 'next',
    });
    expect(asked).toEqual([{ limit: 50 }]);
  });

  it('asks for what fires, for one bot, for a page', async () => {
    const { app, asked } = server();
    await app.request('/api/alerts?state=firing&bot=helper&limit=7&cursor=abc', OPERATOR);
    await app.request('/api/alerts?state=resolved', OPERATOR);
    expect(asked).toEqual([
      { limit: 7, firing: true, bot: 'helper', cursor: 'abc' },
      { limit: 50, firing: false },
    ]);
  });

  it.each(['state=broken', 'limit=0', 'limit=101', 'limit=x', 'cursor=bad'])('refuses %s', async (query) => {
    const { app } = server();
    const response = await app.request(`/api/alerts?${query}`, OPERATOR);
    expect(response.status).toBe(400);
    expect(await problemOf(response)).toMatchObject({ code: 'bad_request' });
  });
});

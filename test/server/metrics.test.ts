import { describe, expect, it } from 'vitest';
import { emptyStats } from '../../src/metrics/bot-stats.ts';
import type { BotSnapshotRow } from '../../src/history/bot-snapshots.ts';
import { parseExposition } from '../metrics/parse-exposition.ts';
import { snapshotOf } from '../metrics/support.ts';
import { harness, problemOf, TOKEN } from './harness.ts';

const OPERATOR = { headers: { authorization: `Bearer ${TOKEN}` } };

function serverWith(rows: readonly BotSnapshotRow[], known = rows.length) {
  const limits: number[] = [];
  const h = harness();
  const { history } = h.deps;
  history.listBotSnapshots = (limit) => {
    limits.push(limit);
    return Promise.resolve({ rows: rows.slice(0, limit), known });
  };
  return { ...h, limits };
}

function row(id: string, status = JSON.stringify(snapshotOf(emptyStats()))): BotSnapshotRow {
  return { id, model: 'm', state: 'running', status, updatedAt: Date.now() - 4_000 };
}

describe('GET /metrics', () => {
  it('is for operators', async () => {
    const { app, limits } = serverWith([row('a')]);
    for (const headers of [{}, { authorization: 'Bearer wrong-token-0123456789' }]) {
      const response = await app.request('/metrics', { headers });
      expect(response.status).toBe(401);
      expect(await problemOf(response)).toMatchObject({ code: 'unauthorized' });
    }
    expect(limits).toEqual([]);
  });

  it('answers in the text format, with every bot that has a row', async () => {
    const { app } = serverWith([row('a'), row('b')]);
    const response = await app.request('/metrics', OPERATOR);
    expect(response.status).toBe(200);
    expect(response.headers.get('content-type')).toBe('text/plain; version=0.0.4; charset=utf-8');
    const families = parseExposition(await response.text());
    expect(families.get('switchboard_turns_running')?.samples.map(({ labels }) => labels['bot'])).toEqual(['a', 'b']);
    expect(families.get('switchboard_bots')?.samples[0]?.value).toBe(2);
    const age = families.get('switchboard_bot_snapshot_age_seconds')?.samples[0]?.value ?? 0;
    expect(age).toBeGreaterThanOrEqual(4);
    expect(age).toBeLessThan(30);
  });

  it('shows at most 500 bots and says how many it leaves out', async () => {
    const { app, limits } = serverWith(
      Array.from({ length: 600 }, (_, i) => row(`bot-${i}`)),
      1_000,
    );
    const families = parseExposition(await (await app.request('/metrics', OPERATOR)).text());
    expect(limits).toEqual([500]);
    expect(families.get('switchboard_connections')?.samples).toHaveLength(500);
    expect(families.get('switchboard_bots')?.samples[0]?.value).toBe(1_000);
    expect(families.get('switchboard_bots_left_out')?.samples[0]?.value).toBe(500);
  });

  it('counts a row that it cannot read, and shows the others', async () => {
    const { app } = serverWith([row('a'), row('b', '{"of":"another version"}')]);
    const families = parseExposition(await (await app.request('/metrics', OPERATOR)).text());
    expect(families.get('switchboard_bots_unreadable')?.samples[0]?.value).toBe(1);
    expect(families.get('switchboard_connections')?.samples.map(({ labels }) => labels['bot'])).toEqual(['a']);
  });

  it('is unavailable while D1 is, and is tried again', async () => {
    const h = harness();
    h.deps.history.listBotSnapshots = () => Promise.reject(new Error('D1_ERROR: down'));
    const response = await h.app.request('/metrics', OPERATOR);
    expect(response.status).toBe(503);
    expect(response.headers.get('retry-after')).not.toBeNull();
  });
});

/**
 * Nothing private comes out where it must not. Secrets and texts with marks of their own go through
 * every field and route, wrong ones included; then every place that operators and strangers read is
 * searched for them. The last tests plant a leak, and see that it is found.
 */
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { parseExposition } from '../metrics/parse-exposition.ts';
import { leaks, type Canary, type Sink } from '../support/canaries.ts';
import { ADDRESS, SECRETS, TEXTS, Visitor } from '../support/canary-visitor.ts';
import { RealServer } from '../support/real-server.ts';
import type { Answer } from '../support/user.ts';

/** Alerts are looked at every ten seconds, counters copied as often. */
const ALERT_TIMEOUT_MS = 40_000;

const ALLOWED: Readonly<Record<string, { allowed: readonly string[] }>> = {
  // Said back to who sent them, and to nobody else.
  field: { allowed: ['problem'] },
  messageId: { allowed: ['problem'] },
  // What operators changed, they read.
  optionName: { allowed: ['audit', 'bots of operator', 'rows for operators'] },
  optionValue: { allowed: ['audit', 'bots of operator', 'rows for operators'] },
  operatorPrompt: { allowed: ['bots of operator', 'rows for operators'] },
};

interface Received {
  sink: Sink[];
  url: string;
}

async function listening(server: Server): Promise<string> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** An endpoint that fails, and quotes all that it was sent: key and prompt. */
async function tellingEndpoint(): Promise<string> {
  const server = createServer((request, response) => {
    let body = '';
    request.setEncoding('utf8').on('data', (chunk: string) => (body += chunk));
    request.on('end', () => {
      const said = `${request.headers.authorization} may not ask ${body.slice(-200)}`;
      response.writeHead(400, { 'content-type': 'application/json', 'x-key': request.headers.authorization ?? '' });
      response.end(JSON.stringify({ error: said }));
    });
  });
  return listening(server);
}

async function webhookReceiver(): Promise<Received> {
  const sink: Sink[] = [];
  const server = createServer((request, response) => {
    let body = '';
    request.setEncoding('utf8').on('data', (chunk: string) => (body += chunk));
    request.on('end', () => {
      sink.push({ name: 'alert webhook', text: `${request.url} ${JSON.stringify(request.headers)} ${body}` });
      response.end();
    });
  });
  return { sink, url: await listening(server) };
}

async function startServer(webhookUrl: string, entry?: string): Promise<RealServer> {
  const bots = [
    { id: 'told', name: 'Told', systemPrompt: TEXTS.botPrompt },
    {
      id: 'telling',
      name: 'Telling',
      endpoint: await tellingEndpoint(),
      apiKeyVariable: 'TELLING_API_KEY',
      model: 'm',
    },
  ];
  return RealServer.forTest({
    simulator: { tokens: 4 },
    variables: {
      OPERATOR_TOKEN: SECRETS.operatorToken,
      SESSION_SECRET: SECRETS.sessionSecret,
      OLLAMA_API_KEY: SECRETS.endpointKey,
      TELLING_API_KEY: SECRETS.botKey,
      ALERT_WEBHOOK_URL: webhookUrl,
      ALERT_WEBHOOK_SECRET: SECRETS.webhookSecret,
      SYSTEM_PROMPT: TEXTS.prompt,
      BOTS: JSON.stringify(bots),
    },
    ...(entry === undefined ? {} : { entry }),
  });
}

/** What operators read, and strangers: each as one text. */
async function readSinks(server: RealServer, visitor: Visitor): Promise<Sink[]> {
  const stranger = server.user();
  const read = async (name: string, answer: Promise<Answer>): Promise<Sink> => {
    const { body, headers } = await answer;
    return { name, text: JSON.stringify([body, ...headers]) };
  };
  return [
    ...visitor.problems,
    await read('metrics', visitor.asOperator('/metrics')),
    await read('health', visitor.asOperator('/api/health/full')),
    await read('alerts', visitor.asOperator('/api/alerts')),
    await read('audit', visitor.asOperator('/api/audit')),
    await read('bots', stranger.request('/api/bots')),
    await read('bots of operator', visitor.asOperator('/api/bots')),
    await read('bots of operator', visitor.asOperator('/api/bots/telling/status')),
    await read('bots of operator', visitor.asOperator('/api/bots/default/status')),
    await read('bots of operator', visitor.asOperator('/api/bots/made')),
    ...(await Promise.all(
      ['default', 'told', 'telling', 'made'].flatMap((bot) => [
        read('bot', stranger.request(`/api/bots/${bot}`)),
        read('bot status', stranger.request(`/api/bots/${bot}/status`)),
      ]),
    )),
    await read('page', stranger.request('/')),
    { name: 'rows for operators', text: await operatorRows(server) },
    { name: 'log', text: server.logs.join('\n') },
  ];
}

/** The tables that bots write for their operators. */
async function operatorRows(server: RealServer): Promise<string> {
  const d1 = await server.d1();
  const tables = ['bots', 'audit', 'alerts'].map((table) => d1.prepare(`SELECT * FROM ${table}`));
  return JSON.stringify((await d1.batch(tables)).map(({ results }) => results));
}

function canariesOf(visitor: Visitor, shareToken: string): Canary[] {
  const [user = '', signature = ''] = visitor.user.cookie.replace('sb_user=', '').split('.');
  const all: Canary[] = [
    ...Object.entries({ ...SECRETS, shareToken, user, signature }).map(([name, value]) => ({ name, value })),
    ...Object.entries(TEXTS).map(([name, value]) => ({ name, value, ...ALLOWED[name] })),
    { name: 'address', value: ADDRESS },
  ];
  // Who never asked for a session has no cookie; a short mark would be found by chance.
  const marks = all.filter(({ value }) => value !== '');
  expect(marks.every(({ value }) => value.length >= 10)).toBe(true);
  return marks;
}

async function until(what: string, isSo: () => Promise<boolean> | boolean): Promise<void> {
  const deadline = Date.now() + ALERT_TIMEOUT_MS;
  while (!(await isSo())) {
    if (Date.now() > deadline) throw new Error(`waited too long until ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}

describe('what is private', () => {
  test('is in no log line, metric, alert, audit entry, problem, list or webhook', { timeout: 150_000 }, async () => {
    const webhook = await webhookReceiver();
    const server = await startServer(webhook.url);
    const visitor = new Visitor(server);
    const session = await visitor.talk();
    await visitor.fail();
    const shareToken = await visitor.share(session);
    await visitor.err(session);
    await visitor.operate();
    await until('an alert was sent', () => webhook.sink.length > 0);
    await until('the metrics count the failures', async () => {
      return /code="model_error"} [1-9]/.test(String((await visitor.asOperator('/metrics')).body));
    });

    const { body: metrics } = await visitor.asOperator('/metrics');
    const families = parseExposition(String(metrics));
    expect(families.get('switchboard_alerts_firing')?.samples.map(({ labels }) => labels['rule'])).toContain('errors');

    const sinks = [...(await readSinks(server, visitor)), ...webhook.sink];
    // An empty place would hold nothing, whatever leaked.
    const textOf = (name: string) =>
      sinks
        .filter((sink) => sink.name === name)
        .map(({ text }) => text)
        .join('\n');
    expect(textOf('log')).toMatch(/"event":"turn".*"code":"model_error"/);
    expect(textOf('log')).toMatch(/"event":"request".*"route":"\/api\/shared\/:token"/);
    expect(textOf('alerts')).toContain('"rule":"errors"');
    expect(textOf('alert webhook')).toContain('alert.firing');
    expect(textOf('health')).toContain('endpoints');
    expect(textOf('bots')).toContain('Telling');
    expect(textOf('rows for operators')).toContain('"resolved_at":null');
    expect(textOf('problem').length).toBeGreaterThan(10_000);
    for (const line of server.logs) {
      expect(JSON.parse(line)).toMatchObject({ at: expect.any(String), event: expect.any(String) });
    }
    expect(leaks(canariesOf(visitor, shareToken), sinks)).toEqual([]);
  });

  test(
    'is found by this search where it leaks: a Worker that logs addresses of requests',
    { timeout: 60_000 },
    async () => {
      const entry = join(import.meta.dirname, '../workers/support/leaky-worker.ts');
      const server = await startServer('http://127.0.0.1:9', entry);
      const visitor = new Visitor(server);
      await visitor.request(`/api/search?q=${TEXTS.query}`);
      await visitor.request('/metrics', { headers: { authorization: `Bearer ${SECRETS.wrongToken}` } });
      // The planted line of each request, and the product's own.
      await until('the log has both requests', () => server.logs.length >= 4);
      const sinks = [{ name: 'log', text: server.logs.join('\n') }];
      const found = leaks(canariesOf(visitor, 'a-token-that-nobody-has'), sinks);
      expect(found.map((line) => line.split(':')[0])).toEqual(['wrongToken in log', 'query in log']);
    },
  );

  test.each([
    ['as it is', (value: string) => value],
    ['in hex', (value: string) => Buffer.from(value).toString('hex')],
    ['in base64', (value: string) => Buffer.from(`user:${value}:more`).toString('base64')],
    ['in base64 with something before it', (value: string) => Buffer.from(`u${value}`).toString('base64')],
  ])('is found %s in the middle of anything', (_, encode) => {
    const sink = { name: 'log', text: `{"a":"${encode(SECRETS.botKey)}"}` };
    expect(leaks([{ name: 'key', value: SECRETS.botKey }], [sink])).toHaveLength(1);
    expect(leaks([{ name: 'key', value: SECRETS.botKey, allowed: ['log'] }], [sink])).toEqual([]);
  });
});

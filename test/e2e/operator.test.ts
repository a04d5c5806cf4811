/** The operator console on the real server, in a real browser: a bot's life from its definition to its end. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { afterAll, beforeAll, beforeEach, expect, onTestFinished, test } from 'vitest';
import { buildWeb } from '../../src/local/build-web.ts';
import { ROOT } from '../../src/local/build-worker.ts';
import { launchBrowser } from '../support/browser.ts';
import { OPERATOR_TOKEN, RealServer } from '../support/real-server.ts';

const PHONE = { width: 390, height: 844 };
/** What a loaded machine may take for a poll, an answer and a chart. */
const SOON_MS = 20_000;

let server: RealServer;
let browser: Browser;
let context: BrowserContext;

beforeAll(async () => {
  if (!existsSync(join(ROOT, 'dist/web/operator.html'))) await buildWeb();
  [server, browser] = await Promise.all([RealServer.start(), launchBrowser()]);
}, 60_000);
afterAll(async () => {
  await browser?.close();
  await server?.close();
});
beforeEach(async () => {
  context = await browser.newContext({ viewport: { width: 1280, height: 800 } });
  onTestFinished(() => context.close());
});

const until = (read: () => Promise<unknown>) => expect.poll(read, { timeout: SOON_MS });

/** The console, not logged in. Any error of the page, or anything asked of elsewhere, fails the test. */
async function visit(hash = ''): Promise<Page> {
  const page = await context.newPage();
  const faults: string[] = [];
  page.on('pageerror', (error) => faults.push(error.message));
  page.on('console', (message) => {
    if (message.text().includes('Content Security Policy')) faults.push(message.text());
  });
  page.on('request', (request) => {
    if (new URL(request.url()).origin !== server.baseUrl) faults.push(request.url());
  });
  onTestFinished(() => expect(faults).toEqual([]));
  await page.goto(`${server.baseUrl}/operator${hash}`);
  return page;
}

async function enter(page: Page, token = OPERATOR_TOKEN): Promise<void> {
  await page.getByTestId('token').fill(token);
  await page.keyboard.press('Enter');
}

async function operate(hash = ''): Promise<Page> {
  const page = await visit(hash);
  await enter(page);
  await page.locator('.top-bar').waitFor();
  return page;
}

async function define(page: Page, id: string, more: Readonly<Record<string, string>> = {}): Promise<void> {
  await page.goto(`${server.baseUrl}/operator#/new`);
  await page.getByLabel('Id', { exact: true }).fill(id);
  await page.getByLabel('Name', { exact: true }).fill(`The ${id}`);
  for (const [label, text] of Object.entries(more)) await page.getByLabel(label).fill(text);
  await page.getByTestId('save').click();
  await page.getByTestId('bot-view').waitFor();
}

const stateOf = (page: Page) => page.getByTestId('bot-state').getAttribute('data-state');
const facts = (page: Page) => page.getByTestId('facts').innerText();

test('without the token there is a field for it and nothing else; the cookie outlives a reload, a logout ends it', async () => {
  const page = await visit();
  await enter(page, 'not-the-operator-token');
  await until(() => page.getByTestId('failure').innerText()).toContain('does not take this token');
  await enter(page);
  await page.locator('[data-testid=bot-row][data-bot=default]').waitFor();
  await page.reload();
  await page.locator('[data-testid=bot-row][data-bot=default]').waitFor();
  // Neither a script nor a store of this page can tell what it is.
  expect(
    await page.evaluate(
      () => `${document.cookie}${JSON.stringify([Object.entries(localStorage), Object.entries(sessionStorage)])}`,
    ),
  ).toBe('[[],[]]');
  await page.getByTestId('logout').click();
  await page.getByTestId('token').waitFor();
  await page.reload();
  await page.getByTestId('token').waitFor();
});

test('defined, launched, talked to, stopped while somebody waits, launched again, deleted', async () => {
  const page = await operate();
  await define(page, 'desk', { Slots: '1', 'Grace after a stop': '500' });
  expect(await stateOf(page)).toBe('stopped');
  await page.getByTestId('launch').click();
  await until(() => stateOf(page)).toBe('running');

  const user = server.user();
  const session = await user.session({ bot: 'desk' });
  const { body } = await user.post(session, 'm1', 'Hello [[sim tokens=20 tokenMs=5]]', 20);
  expect(body).toMatchObject({ reply: { status: 'complete' } });
  await until(() => facts(page)).toMatch(/Turns\s+1\s/);
  await until(() => page.locator('canvas').count()).toBe(5);

  // One answers for long, one waits for the slot.
  await user.post(session, 'm2', 'Go on [[sim tokens=2000 tokenMs=25]]');
  const other = server.user();
  const waiting = await other.session({ bot: 'desk' });
  await other.post(waiting, 'w1', 'And me? [[sim tokens=5]]');
  await until(() => facts(page)).toMatch(/1 of 1[^]*1 waits/);
  await page.getByTestId('stop').click();
  await until(() => page.getByRole('dialog').innerText()).toMatch(/1 answer is being made[^]*1 message waits/);
  await page.getByTestId('confirm').click();
  await until(() => stateOf(page)).toBe('stopped');
  await until(() => page.getByTestId('failures').innerText()).toContain('bot_stopped');
  await page.getByTestId('launch').click();
  await until(async () => JSON.stringify((await other.request(`/api/sessions/${waiting}/messages`)).body)).toContain('"complete"'); // prettier-ignore

  await until(() => page.getByTestId('bot-audit').innerText()).toMatch(/launch[^]*stop[^]*launch[^]*create/);
  await page.getByLabel('Actions for desk').click();
  await page.getByRole('button', { name: 'Delete' }).click();
  await page.getByTestId('confirm').click();
  await page.getByTestId('bot-list').waitFor();
  await until(() => page.locator('[data-bot=desk]').count()).toBe(0);
}, 90_000);

test('what only the server refuses is said at its field; what two operators change meets', async () => {
  const page = await operate('#/new');
  await page.getByLabel('Id', { exact: true }).fill('night');
  await page.getByLabel('Name', { exact: true }).fill('Night');
  await page.getByLabel('Endpoint', { exact: true }).fill('http://169.254.169.254');
  await page.getByTestId('save').click();
  await until(() => page.getByTestId('field-endpoint').getByRole('alert').innerText()).not.toBe('');
  await page.getByLabel('Endpoint', { exact: true }).fill('');
  await page.getByTestId('save').click();
  await page.getByTestId('bot-view').waitFor();

  await page.getByTestId('edit').click();
  await page.getByLabel('Name', { exact: true }).fill('Night, mine');
  const operator = { authorization: `Bearer ${OPERATOR_TOKEN}` };
  const elsewhere = await server.user().request('/api/bots/night', {
    method: 'PATCH',
    headers: operator,
    body: { name: 'Night, theirs', tokensPerDay: 9_000 },
  });
  expect(elsewhere.status).toBe(200);
  await page.getByTestId('save').click();
  await until(() => page.getByTestId('conflict').innerText()).toContain('Night, theirs');
  expect(await page.getByLabel('Name', { exact: true }).inputValue()).toBe('Night, mine');
  expect(await page.getByLabel('Tokens per day').inputValue()).toBe('9000');
  await page.getByTestId('save').click();
  await until(() => page.locator('h1').innerText()).toContain('Night, mine');
  const { body } = await server.user().request('/api/bots/night', { headers: operator });
  expect(body).toMatchObject({ revision: 3, spec: { name: 'Night, mine', tokensPerDay: 9_000 } });
}, 60_000);

test("a configured bot is stopped and changed here, too; the audit log's chain holds", async () => {
  const page = await operate('#/bots/default');
  await until(() => stateOf(page)).toBe('running');
  await page.getByTestId('pause').click();
  await page.getByTestId('confirm').click();
  await until(() => stateOf(page)).toBe('paused');
  await page.getByTestId('resume').click();
  await until(() => stateOf(page)).toBe('running');
  await page.getByTestId('edit').click();
  await page.getByLabel('Slots').fill('7');
  await page.getByTestId('save').click();
  await until(() => facts(page)).toContain('of 7');
  await page.goto(`${server.baseUrl}/operator#/audit/default`);
  await until(() => page.getByTestId('audit-page').innerText()).toMatch(/update[^]*resume[^]*pause/);
  await page.getByTestId('verify').click();
  await until(() => page.getByTestId('verify-result').getAttribute('data-ok')).toBe('true');
}, 60_000);

test('health and alerts answer, on a phone, and a dead server is told', async () => {
  const page = await operate('#/health');
  await page.setViewportSize(PHONE);
  await until(() => page.getByTestId('health-status').getAttribute('data-status')).toBe('ok');
  for (const hash of ['#/', '#/alerts', '#/bots/default', '#/audit']) {
    await page.goto(`${server.baseUrl}/operator${hash}`);
    await until(() => page.getByTestId('freshness').getAttribute('data-state')).toBe('live');
    expect(await page.evaluate(() => document.documentElement.scrollWidth), hash).toBeLessThanOrEqual(PHONE.width);
  }
  await page.goto(`${server.baseUrl}/operator#/`);
  await server.kill();
  await until(() => page.getByTestId('freshness').getAttribute('data-state')).toBe('silent');
  await server.restart();
  await until(() => page.getByTestId('freshness').getAttribute('data-state')).toBe('live');
}, 60_000);

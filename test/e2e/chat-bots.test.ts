/** Lines, stops, mentions, commands and shares as people meet them: the page on the real server, in a real browser. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { buildWeb } from '../../src/local/build-web.ts';
import { ROOT } from '../../src/local/build-worker.ts';
import { launchBrowser } from '../support/browser.ts';
import { OPERATOR_TOKEN, RealServer } from '../support/real-server.ts';

/** What a loaded machine may take for an answer and a poll. */
const SOON_MS = 20_000;
/** About 4 s: others see their place meanwhile. */
const SLOW = 'Take your time [[sim tokens=100 tokenMs=40]]';
const QUICK = 'Quick [[sim tokens=5]]';

const BOTS = JSON.stringify([
  { id: 'narrow', name: 'Narrow', model: 'simulator', concurrency: 1 },
  { id: 'guest', name: 'Guest', model: 'simulator' },
]);

let server: RealServer;
let browser: Browser;
beforeAll(async () => {
  if (!existsSync(join(ROOT, 'dist/web/index.html'))) await buildWeb();
  [server, browser] = await Promise.all([RealServer.start({ variables: { BOTS } }), launchBrowser()]);
}, 60_000);
afterAll(async () => {
  await browser?.close();
  await server?.close();
});

const until = (read: () => Promise<unknown>) => expect.poll(read, { timeout: SOON_MS });

/** A person of their own at the page; any error of it fails the test. */
async function person(path = '/'): Promise<Page> {
  const context = await browser.newContext({ acceptDownloads: true });
  onTestFinished(() => context.close());
  const page = await context.newPage();
  const faults: string[] = [];
  page.on('pageerror', (error) => faults.push(error.message));
  page.on('console', (message) => {
    if (message.text().includes('Content Security Policy')) faults.push(message.text());
  });
  onTestFinished(() => expect(faults).toEqual([]));
  await page.goto(server.baseUrl + path);
  return page;
}

async function say(page: Page, text: string): Promise<void> {
  await page.getByTestId('composer').fill(text);
  await page.getByTestId('composer').press('Enter');
}

async function choose(page: Page, bot: string): Promise<void> {
  await page.getByTestId('bot-picker').click();
  await page.getByTestId('bot-search').fill(bot);
  await page.getByTestId('bot-option').first().click();
  await until(() => page.getByTestId('bot-picker').innerText()).toContain(bot);
}

async function operate(bot: string, action: 'stop' | 'launch' | 'pause' | 'resume'): Promise<void> {
  const headers = { authorization: `Bearer ${OPERATOR_TOKEN}` };
  const { status } = await server.user().request(`/api/bots/${bot}/${action}`, { method: 'POST', headers });
  expect(status).toBe(200);
}

const answers = (page: Page) => page.locator('[data-testid=message][data-role=bot][data-status=complete]');
const waitText = (page: Page) => page.getByTestId('wait').innerText();
const note = (page: Page) => page.getByTestId('note').last().innerText();

test('people in the line of a limited bot see their place move, and are answered in turn', async () => {
  const [first, second, third] = await Promise.all([person(), person(), person()]);
  for (const page of [first, second, third]) await choose(page, 'Narrow');
  await say(first, SLOW);
  await until(() => first.getByTestId('running').innerText()).not.toBe('');
  await say(second, SLOW);
  await until(() => waitText(second)).toBe('Next in line for Narrow.');
  await say(third, QUICK);
  await until(() => waitText(third)).toBe('2nd in line for Narrow.');
  await until(() => waitText(third)).toBe('Next in line for Narrow.');
  for (const page of [first, second, third]) await until(() => answers(page).count()).toBe(1);
}, 90_000);

test('who gives up in the line is out of it', async () => {
  const [first, second] = await Promise.all([person(), person()]);
  for (const page of [first, second]) await choose(page, 'Narrow');
  await say(first, SLOW);
  await until(() => first.getByTestId('running').innerText()).not.toBe('');
  await say(second, QUICK);
  await until(() => waitText(second)).toContain('Next in line');
  await second.getByTestId('stop').click();
  await second.getByText('Stopped', { exact: true }).waitFor({ timeout: SOON_MS });
  await first.getByTestId('stop').click();
  await first.getByText('Stopped', { exact: true }).waitFor({ timeout: SOON_MS });
}, 60_000);

test('a message to a stopped bot says so, waits, and is answered once the bot runs again', async () => {
  const page = await person();
  await choose(page, 'Guest');
  await say(page, QUICK);
  await until(() => answers(page).count()).toBe(1);
  await operate('guest', 'stop');
  onTestFinished(() => operate('guest', 'launch'));
  // A session learns of it within 2 s; until then it may still begin.
  await page.waitForTimeout(2_000);
  await say(page, `After the stop. ${QUICK}`);
  await until(() => waitText(page)).toContain('Guest is stopped');
  await page.getByTestId('bot-picker').click();
  await until(() => page.getByTestId('bot-option').filter({ hasText: 'Guest' }).innerText()).toContain('stopped');
  await page.keyboard.press('Escape');
  await page.reload();
  await until(() => waitText(page)).toContain('Guest is stopped');
  await operate('guest', 'launch');
  await until(() => answers(page).count()).toBe(2);
}, 60_000);

test('@bot asks another one once, and its answer carries its name', async () => {
  const page = await person();
  await page.getByTestId('composer').pressSequentially('@gue');
  await page.getByTestId('suggestion').filter({ hasText: 'guest' }).waitFor();
  await page.keyboard.press('Enter');
  await page.getByTestId('composer').pressSequentially(QUICK);
  await page.keyboard.press('Enter');
  await until(() => answers(page).count()).toBe(1);
  await say(page, QUICK);
  await until(() => answers(page).count()).toBe(2);
  expect(await page.getByTestId('answered-by').allInnerTexts()).toEqual(['Guest']);
  await page.reload();
  await until(() => page.getByTestId('answered-by').allInnerTexts()).toEqual(['Guest']);
}, 60_000);

test('commands do what they say, and no bot hears of them', async () => {
  const page = await person();
  await say(page, QUICK);
  await until(() => answers(page).count()).toBe(1);
  await say(page, '/status');
  await until(() => note(page)).toMatch(/Assistant \(simulator\)[^]*running/);
  await say(page, '/bot guest');
  await until(() => note(page)).toContain('Guest answers from here on');
  await until(() => page.getByTestId('bot-picker').innerText()).toContain('Guest');
  await say(page, '/title Notes on tides');
  await until(() => page.getByTestId('title').innerText()).toBe('Notes on tides');
  const [download] = await Promise.all([page.waitForEvent('download'), say(page, '/export')]);
  expect(download.suggestedFilename()).toBe('Notes on tides.md');
  await say(page, '/bot nobody-here');
  await until(() => note(page)).toContain('There is no such bot.');
  expect(await page.locator('[data-testid=message][data-role=user]').count()).toBe(1);
}, 60_000);

test('a shared chat is read by somebody else until the link is taken back', async () => {
  const owner = await person();
  await say(owner, 'What I share [[sim tokens=20]]');
  await until(() => answers(owner).count()).toBe(1);
  await owner.locator('.header').getByLabel('Actions for').click();
  await owner.locator('.header').getByRole('button', { name: 'Share…', exact: true }).click();
  await owner.getByTestId('share-make').click();
  await until(() => owner.getByTestId('share-url').inputValue()).toContain('/shared/');
  const path = new URL(await owner.getByTestId('share-url').inputValue()).pathname;

  const reader = await person(path);
  await reader.getByText('What I share').first().waitFor({ timeout: SOON_MS });
  await until(() => answers(reader).count()).toBe(1);
  expect(await reader.getByTestId('composer').count()).toBe(0);
  expect(await reader.context().cookies()).toEqual([]);

  await owner.getByTestId('share-item').getByRole('button').click();
  await until(() => owner.getByTestId('share-item').count()).toBe(0);
  await reader.reload();
  await reader.getByRole('heading', { name: 'This link is over' }).waitFor({ timeout: SOON_MS });
}, 60_000);

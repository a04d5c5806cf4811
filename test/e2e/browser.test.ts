/** The page on the real server, in a real browser: what a person does, and what their network does to them. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { afterAll, beforeAll, beforeEach, expect, onTestFinished, test } from 'vitest';
import { buildWeb } from '../../src/local/build-web.ts';
import { ROOT } from '../../src/local/build-worker.ts';
import { decodeServerFrame } from '../../src/protocol/codec.ts';
import type { ServerFrame } from '../../src/protocol/server-frames.ts';
import { launchBrowser } from '../support/browser.ts';
import { joined } from '../support/fake-world.ts';
import { RealServer } from '../support/real-server.ts';

/** About 7 s of streaming: time to load a page in the middle of it, on a machine that is busy with other tests, too. */
const LONG = 'Tell me a long story [[sim tokens=120 tokenMs=60]]';
const PHONE = { width: 390, height: 844 };

let server: RealServer;
let browser: Browser;
let context: BrowserContext;

beforeAll(async () => {
  if (!existsSync(join(ROOT, 'dist/web/index.html'))) await buildWeb();
  [server, browser] = await Promise.all([RealServer.start(), launchBrowser()]);
}, 60_000);
afterAll(async () => {
  await browser?.close();
  await server?.close();
});
beforeEach(async () => {
  context = await browser.newContext();
  onTestFinished(() => context.close());
});

/** A tab on the page, with the frames it received; any error of the page fails the test. */
async function open(path = '/'): Promise<{ page: Page; frames: ServerFrame[] }> {
  const page = await context.newPage();
  const frames: ServerFrame[] = [];
  const faults: string[] = [];
  page.on('pageerror', (error) => faults.push(error.message));
  page.on('console', (message) => {
    if (message.text().includes('Content Security Policy')) faults.push(message.text());
  });
  page.on('websocket', (socket) =>
    socket.on('framereceived', ({ payload }) => {
      const decoded = decodeServerFrame(payload);
      if (decoded.ok) frames.push(decoded.frame);
    }),
  );
  onTestFinished(() => expect(faults).toEqual([]));
  await page.goto(server.baseUrl + path);
  return { page, frames };
}

async function say(page: Page, text: string): Promise<void> {
  await page.getByTestId('composer').fill(text);
  await page.getByTestId('composer').press('Enter');
}

const botMessages = (page: Page) => page.locator('[data-testid="message"][data-role="bot"]');
const answerText = (page: Page) => botMessages(page).last().innerText();
const hashOf = (page: Page) => new URL(page.url()).hash;

/** The text of the last answer as the server keeps it. */
async function replyOf(page: Page): Promise<string> {
  const session = hashOf(page).split('/').at(-1) ?? '';
  return page.evaluate(async (id) => {
    const response = await fetch(`/api/sessions/${id}/messages`);
    const { messages } = await response.json();
    return messages.at(-1).text;
  }, session);
}

async function untilAnswered(page: Page, answers = 1): Promise<void> {
  await expect.poll(() => botMessages(page).count(), { timeout: 25_000 }).toBe(answers);
  await expect.poll(() => page.getByTestId('running').count(), { timeout: 25_000 }).toBe(0);
}

/** Waits until some of the running answer is shown. */
async function untilStreaming(page: Page): Promise<void> {
  await expect
    .poll(async () => (await page.getByTestId('running').innerText()).length, { timeout: 10_000 })
    .toBeGreaterThan(40);
}

test('send, stream, and the answer stays', async () => {
  const { page, frames } = await open();
  await say(page, 'How do tides work? [[sim tokens=60 tokenMs=10]]');
  await untilStreaming(page);
  await untilAnswered(page);
  const turn = frames.find((frame) => frame.type === 'event' && frame.kind === 'message');
  expect(joined(frames, turn?.type === 'event' ? turn.seq : 0, 1)).toBe(await replyOf(page));
  await expect.poll(() => page.getByTestId('connection').getAttribute('data-state')).toBe('live');
  await page.reload();
  await expect.poll(() => botMessages(page).count()).toBe(1);
});

test('a reload in the middle of an answer continues it: no character twice, none missing', async () => {
  const { page, frames } = await open();
  await say(page, LONG);
  await untilStreaming(page);
  frames.length = 0;
  await page.reload();
  await untilStreaming(page);
  await untilAnswered(page);
  const reply = await replyOf(page);
  const turn = frames.find((frame) => frame.type === 'delta');
  expect(joined(frames, turn?.type === 'delta' ? turn.turn : 0, 1)).toBe(reply);
  const { page: fresh } = await open(`/${hashOf(page)}`);
  await untilAnswered(fresh);
  expect(await answerText(page)).toBe(await answerText(fresh));
  expect(server.simulator.stats().aborted, 'a disconnect is not a stop').toBe(0);
});

test('a second tab shows the same, live', async () => {
  const { page: one } = await open();
  await say(one, LONG);
  await untilStreaming(one);
  const { page: two } = await open(`/${hashOf(one)}`);
  await untilStreaming(two);
  await Promise.all([untilAnswered(one), untilAnswered(two)]);
  expect(await answerText(two)).toBe(await answerText(one));
  await say(two, 'and from here [[sim tokens=10]]');
  await untilAnswered(one, 2);
});

test('stop keeps what had come and reaches the model', async () => {
  const { page } = await open();
  const { aborted } = server.simulator.stats();
  await say(page, LONG);
  await untilStreaming(page);
  await page.getByTestId('stop').click();
  await expect.poll(() => botMessages(page).last().getAttribute('data-status')).toBe('stopped');
  await expect.poll(() => server.simulator.stats().aborted).toBe(aborted + 1);
  const stopped = await answerText(page);
  await page.waitForTimeout(500);
  expect(await answerText(page)).toBe(stopped);
});

test('messages wait in a line that can be changed', async () => {
  const { page } = await open();
  await say(page, LONG);
  await untilStreaming(page);
  await say(page, 'second [[sim tokens=5]]');
  await say(page, 'third [[sim tokens=5]]');
  await expect.poll(() => page.getByTestId('queue-item').count()).toBe(2);
  await page.getByTestId('queue-cancel').last().click();
  await expect.poll(() => page.getByTestId('queue-item').count()).toBe(1);
  await untilAnswered(page, 2);
});

test('offline and back: the page says so, keeps what is written, and sends it once', async () => {
  const { page } = await open();
  await say(page, 'first [[sim tokens=5]]');
  await untilAnswered(page);
  await context.setOffline(true);
  await server.kill();
  await expect
    .poll(() => page.getByTestId('connection').getAttribute('data-state'), { timeout: 15_000 })
    .toBe('offline');
  await say(page, 'written while offline [[sim tokens=5]]');
  await expect.poll(() => page.getByTestId('pending-item').count()).toBe(1);
  await server.restart();
  await context.setOffline(false);
  await untilAnswered(page, 2);
  expect(await page.getByTestId('pending-item').count()).toBe(0);
  const written = page.locator('[data-testid="message"][data-role="user"]', { hasText: 'written while offline' });
  expect(await written.count()).toBe(1);
}, 60_000);

test('a killed server in the middle of an answer: the page comes back and the answer is whole', async () => {
  const { page } = await open();
  await say(page, LONG);
  await untilStreaming(page);
  await server.kill();
  await server.restart();
  await untilAnswered(page);
  const { page: fresh } = await open(`/${hashOf(page)}`);
  await untilAnswered(fresh);
  expect(await answerText(page)).toBe(await answerText(fresh));
}, 60_000);

test('a failure is told in words, and trying again answers', async () => {
  const { page } = await open();
  await say(page, 'break once [[sim tokens=5 fault=garbage@2 faultTimes=1]]');
  await expect
    .poll(() => page.getByTestId('failure').getAttribute('data-code'), { timeout: 15_000 })
    .toBe('answer_malformed');
  await page.getByTestId('try-again').click();
  await expect.poll(() => botMessages(page).last().getAttribute('data-status'), { timeout: 15_000 }).toBe('complete');
});

test('the page says where answers come from, and fits a phone', async () => {
  const { page } = await open();
  await page.setViewportSize(PHONE);
  await expect.poll(() => page.getByTestId('simulator-notice').isVisible()).toBe(true);
  await say(page, 'on the phone [[sim tokens=30]]');
  await untilAnswered(page);
  expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(PHONE.width);
});

/** Pictures of the page in its states: `node test/web/harness/shots.ts DIR`. For eyes, not for tests. */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { buildWeb } from '../../../src/local/build-web.ts';
import { launchBrowser } from '../../support/browser.ts';
import type { Feed } from './feed.ts';
import { botAnswers, manyBots, shareAnswers } from './bots.ts';
import { ASSISTANT, sampleAnswers, sampleFeed, SESSION, STREAMED } from './sample.ts';
import { messageOf } from '../../../src/protocol/transcript.ts';
import { installSite, ORIGIN, type Answers, type Site } from './site.ts';

const outDir = process.argv[2] ?? 'shots';
const VIEWS = { desktop: { width: 1280, height: 800 }, phone: { width: 390, height: 844 } };
const SETTLE_MS = 350;

type Scene = (page: Page, feed: Feed, site: Site) => Promise<void>;

const last = (feed: Feed) => feed.records.length;
const open = (page: Page) => page.goto(`${ORIGIN}/#/s/${SESSION}`);
async function write(page: Page, text: string): Promise<void> {
  await page.getByTestId('composer').fill(text);
  await page.getByTestId('composer').press('Enter');
  await page.waitForTimeout(SETTLE_MS);
}

const SCENES: Record<string, Scene> = {
  new: async (page) => void (await page.goto(ORIGIN)),
  answered: async (page) => {
    await open(page);
    await page.getByText('Token bucket').first().waitFor();
  },
  streaming: async (page, feed) => {
    await open(page);
    await write(page, 'And across regions?');
    feed.say(STREAMED);
    await write(page, 'Then show me a test for it.');
    await write(
      page,
      'Also: what would it cost per million requests, and where would the money go if callers come from everywhere?',
    );
    feed.tell({ type: 'presence', tabs: 2, typing: true });
  },
  thinking: async (page, feed) => {
    await open(page);
    await write(page, 'And across regions?');
    feed.say('They want one limit for all regions. One object per caller is the simplest.', 'thinking');
    await page.locator('.thinking summary').last().click();
  },
  failed: async (page, feed) => {
    await open(page);
    await write(page, 'And across regions?');
    feed.say('Share it through **one object');
    feed.end('failed');
  },
  offline: async (page, feed, site) => {
    await open(page);
    await page.getByText('Token bucket').first().waitFor();
    site.reachable = false;
    feed.drop();
    await write(page, 'Written on the train: what about clock skew?');
    await write(page, 'And retries?');
  },
  drawer: async (page) => {
    await open(page);
    await page
      .getByTestId('drawer')
      .click({ timeout: 1_000 })
      .catch(() => undefined);
    await page.getByTestId('session-item').first().getByRole('button').click();
  },
  search: async (page) => {
    await open(page);
    await page.keyboard.press('Control+k');
    await page.waitForTimeout(SETTLE_MS);
    await page.getByTestId('search').fill('bucket');
    await page.getByTestId('search-hit').waitFor();
  },
  waiting: async (page, feed) => {
    await open(page);
    await write(page, 'And across regions?');
    feed.wait({ reason: 'line', place: 3 });
    await write(page, 'Then show me a test for it.');
  },
  stopped: async (page, feed) => {
    await open(page);
    await write(page, '@coder And across regions?');
    feed.wait({ reason: 'stopped', place: 0 });
  },
  full: async (page, feed) => {
    await open(page);
    feed.by = { id: 'coder', name: 'Coder', revision: 3 };
    await write(page, '@coder And across regions?');
    feed.say('One object per caller.');
    feed.end('reply');
    await write(page, '@coder And if it is busy?');
    feed.fail('line_full');
  },
  bots: async (page) => {
    await open(page);
    await page.getByTestId('bot-picker').click();
  },
  mention: async (page) => {
    await open(page);
    await page.getByTestId('composer').pressSequentially('@');
    await page.keyboard.press('ArrowDown');
  },
  commands: async (page) => {
    await open(page);
    for (const text of ['/help', '/status', '/dance']) await write(page, text);
    await page.getByTestId('composer').fill('/');
  },
  share: async (page) => {
    await open(page);
    await page.locator('.header').getByLabel('Actions for').click();
    await page.locator('.header').getByRole('button', { name: 'Share' }).click();
    await page.getByTestId('share-make').click();
    await page.getByTestId('share-url').waitFor();
  },
  shared: async (page) => void (await page.goto(`${ORIGIN}/shared/token`)),
  over: async (page) => void (await page.goto(`${ORIGIN}/shared/gone`)),
  login: async (page, feed) => {
    await open(page);
    await page.getByTestId('composer').fill('What I was about to say');
    feed.drop(4401);
    await page.waitForTimeout(SETTLE_MS);
    await page.getByTestId('composer').press('Enter');
  },
  missing: async (page) => void (await page.goto(`${ORIGIN}/#/s/s_${'f'.repeat(32)}`)),
};

function answersOf(scene: string, feed: Feed): Answers {
  const others = shareAnswers(
    [{ id: 'l_0', createdAt: Date.now(), expiresAt: Date.now() + 3_600_000 }],
    sampleAnswers(scene === 'new'),
  );
  const shared = {
    title: feed.title,
    bot: ASSISTANT,
    messages: feed.records.flatMap((record) => messageOf(record) ?? []),
    nextCursor: null,
    expiresAt: Date.now() + 7 * 24 * 3_600_000,
  };
  const bots = manyBots(1_000);
  return botAnswers(
    () => bots,
    (method, url, body) => (url.pathname === '/api/shared/token' ? { body: shared } : others(method, url, body)),
  );
}

async function shoot(browser: Browser, dist: string, scene: string, view: keyof typeof VIEWS, dark: boolean) {
  const context = await browser.newContext({
    viewport: VIEWS[view],
    colorScheme: dark ? 'dark' : 'light',
    hasTouch: view === 'phone',
    isMobile: view === 'phone',
  });
  const feed = sampleFeed();
  const site = await installSite(context, dist, new Map([[SESSION, feed]]), answersOf(scene, feed));
  const page = await context.newPage();
  page.on('console', (message) => console.log(`${scene}: ${message.type()}: ${message.text()}`));
  page.on('pageerror', (error) => console.log(`${scene}: ${error.message}`));
  await SCENES[scene]?.(page, feed, site);
  await page.waitForTimeout(SETTLE_MS);
  await page.screenshot({ path: join(outDir, `${scene}-${view}-${dark ? 'dark' : 'light'}.png`) });
  console.log(`${scene} ${view} ${dark ? 'dark' : 'light'} (${last(feed)} records)`);
  await context.close();
}

const only = process.argv[3]?.split(',');
await mkdir(outDir, { recursive: true });
const { outDir: dist } = await buildWeb(join(outDir, 'dist'));
const browser = await launchBrowser();
for (const scene of only ?? Object.keys(SCENES)) {
  await shoot(browser, dist, scene, 'desktop', false);
  await shoot(browser, dist, scene, 'phone', true);
}
await shoot(browser, dist, 'answered', 'desktop', true);
await shoot(browser, dist, 'streaming', 'phone', false);
await browser.close();

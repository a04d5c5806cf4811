/** Pictures of the page in its states: `node test/web/harness/shots.ts DIR`. For eyes, not for tests. */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { buildWeb } from '../../../src/local/build-web.ts';
import { launchBrowser } from '../../support/browser.ts';
import type { Feed } from './feed.ts';
import { sampleAnswers, sampleFeed, SESSION, STREAMED } from './sample.ts';
import { installSite, ORIGIN, type Site } from './site.ts';

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
  missing: async (page) => void (await page.goto(`${ORIGIN}/#/s/s_${'f'.repeat(32)}`)),
};

async function shoot(browser: Browser, dist: string, scene: string, view: keyof typeof VIEWS, dark: boolean) {
  const context = await browser.newContext({
    viewport: VIEWS[view],
    colorScheme: dark ? 'dark' : 'light',
    hasTouch: view === 'phone',
    isMobile: view === 'phone',
  });
  const feed = sampleFeed();
  const site = await installSite(context, dist, new Map([[SESSION, feed]]), sampleAnswers(scene === 'new'));
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

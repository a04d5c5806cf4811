/** The built page in a browser for a test file, with a fresh chat for each test. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach } from 'vitest';
import { buildWeb } from '../../../src/local/build-web.ts';
import { launchBrowser } from '../../support/browser.ts';
import { Feed } from './feed.ts';
import { ASSISTANT, sampleAnswers, SESSION } from './sample.ts';
import { installSite, ORIGIN, type Answers, type Site } from './site.ts';

export const ADDRESS = `${ORIGIN}/#/s/${SESSION}`;
const WINDOW = { width: 900, height: 600 };

export class Stage {
  page!: Page;
  feed!: Feed;
  site!: Site;
  context!: BrowserContext;
  /** What the API answers; a test may put its own in front. */
  answers!: Answers;
  /** Errors of the page and refusals of its Content-Security-Policy: there are to be none. */
  complaints: string[] = [];

  get composer() {
    return this.page.getByTestId('composer');
  }
  get messages() {
    return this.page.getByTestId('message');
  }
  /** What the page sent as messages, in order. */
  sent(): string[] {
    return this.feed.heard.flatMap((frame) => (frame.type === 'send' ? [frame.text] : []));
  }
  async live(): Promise<void> {
    await this.page.locator('[data-testid=connection][data-state=live]').waitFor({ state: 'attached' });
  }
  async open(): Promise<void> {
    await this.page.goto(ADDRESS);
    await this.live();
  }
  async say(text: string): Promise<void> {
    await this.composer.fill(text);
    await this.composer.press('Enter');
  }

  async raise(browser: Browser, dist: string): Promise<void> {
    this.feed = new Feed(SESSION, 'A chat', ASSISTANT);
    this.answers = sampleAnswers(false);
    this.context = await browser.newContext({ viewport: WINDOW });
    this.site = await installSite(this.context, dist, new Map([[SESSION, this.feed]]), (...call) =>
      this.answers(...call),
    );
    this.page = await this.context.newPage();
    this.complaints = [];
    this.page.on('pageerror', (error) => this.complaints.push(error.message));
    this.page.on('console', (message) => {
      if (message.type() === 'error' && !message.text().startsWith('Failed to load resource')) {
        this.complaints.push(message.text());
      }
    });
  }
}

/** Registers the hooks; the stage is set up anew for every test of the file. */
export function useStage(): Stage {
  const stage = new Stage();
  let dist = '';
  let browser: Browser;
  beforeAll(async () => {
    dist = await mkdtemp(join(tmpdir(), 'switchboard-page-'));
    await buildWeb(dist);
    browser = await launchBrowser();
  });
  afterAll(async () => {
    await browser.close();
    await rm(dist, { recursive: true, force: true });
  });
  beforeEach(() => stage.raise(browser, dist));
  afterEach(async () => {
    await stage.context.close();
    if (stage.complaints.length > 0) throw new Error(stage.complaints.join('\n'));
  });
  return stage;
}

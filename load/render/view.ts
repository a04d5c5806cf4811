/** The page in a real browser: what a reader's browser does, and what it tells of itself. */
import type { Browser, BrowserContext, CDPSession, Page } from 'playwright-core';
import { launchBrowser } from '../../test/support/browser.ts';
import { LoadError } from '../scenario.ts';
import { installProbe, type Scrolled, type Shown } from './probe.ts';

const SHOWN_TIMEOUT_MS = 30_000;
/** One collection finds what the one before has let go of. */
const COLLECTIONS = 3;
const WINDOW = { width: 1280, height: 800 };
const COOKIE_TEXT = /^([^=]+)=(.*)$/;

export interface Heap {
  /** Of scripts. */
  scriptBytes: number;
  /** With the document's own, of elements and styles. */
  allBytes: number;
}

/** A browser with the person's cookie. */
export class Reader {
  readonly #browser: Browser;
  readonly #context: BrowserContext;
  readonly #url: string;

  private constructor(browser: Browser, context: BrowserContext, url: string) {
    this.#browser = browser;
    this.#context = context;
    this.#url = url;
  }

  static async start(url: string, cookie: string): Promise<Reader> {
    const browser = await launchBrowser();
    const context = await browser.newContext({ viewport: WINDOW });
    const [, name = '', value = ''] = COOKIE_TEXT.exec(cookie) ?? [];
    await context.addCookies([{ name, value, url }]);
    await context.addInitScript(installProbe);
    return new Reader(browser, context, url);
  }

  /** Opens a session and waits until so many messages are shown. */
  async open(session: string, messages: number): Promise<View> {
    const page = await this.#context.newPage();
    const startedAt = performance.now();
    await page.goto(`${this.#url}/#/s/${session}`);
    const view = new View(page, await this.#context.newCDPSession(page));
    await view.untilShown(messages);
    view.openedMs = performance.now() - startedAt;
    return view;
  }

  version(): string {
    return this.#browser.version();
  }

  async stop(): Promise<void> {
    await this.#browser.close();
  }
}

/** One open page. */
export class View {
  /** Until the newest messages were there. */
  openedMs = Number.NaN;
  readonly #page: Page;
  readonly #cdp: CDPSession;

  constructor(page: Page, cdp: CDPSession) {
    this.#page = page;
    this.#cdp = cdp;
  }

  /** From here on it is noted when frames and keys are on the screen. */
  async arm(): Promise<void> {
    await this.#page.evaluate(() => {
      window.loadProbe.armed = true;
      window.loadProbe.take();
    });
  }

  /** What was noted so far; `open` frames have not been seen on the screen. */
  take(): Promise<{ shown: Shown[]; open: number }> {
    return this.#page.evaluate(() => window.loadProbe.take());
  }

  messages(): Promise<number> {
    return this.#page.evaluate(() => window.loadProbe.messages());
  }

  async untilShown(messages: number): Promise<void> {
    await this.#page.waitForFunction((count) => window.loadProbe.messages() >= count, messages, {
      timeout: SHOWN_TIMEOUT_MS,
    });
  }

  scroll(ms: number, pixels: number): Promise<Scrolled> {
    return this.#page.evaluate((how) => window.loadProbe.scroll(how.ms, how.pixels), { ms, pixels });
  }

  loadAll(ms: number): Promise<{ messages: number; ms: number }> {
    return this.#page.evaluate((limit) => window.loadProbe.loadAll(limit), ms);
  }

  /** Writes a message and sends it; resolves when its answer is being shown. */
  async send(text: string): Promise<void> {
    const composer = this.#page.getByTestId('composer');
    await composer.fill(text);
    await composer.press('Enter');
    await this.#page.getByTestId('running').waitFor({ timeout: SHOWN_TIMEOUT_MS });
  }

  /** Presses keys into the message field, one every so often. */
  async type(text: string, everyMs: number): Promise<void> {
    await this.#page.getByTestId('composer').pressSequentially(text, { delay: everyMs, timeout: SHOWN_TIMEOUT_MS * 2 });
  }

  isAnswering(): Promise<boolean> {
    return this.#page.getByTestId('running').isVisible();
  }

  async stopAnswer(): Promise<void> {
    await this.#page.getByTestId('composer').fill('');
    const stop = this.#page.getByTestId('stop');
    if (await stop.isVisible()) await stop.click();
    await this.#page.getByTestId('running').waitFor({ state: 'detached', timeout: SHOWN_TIMEOUT_MS });
  }

  /** Loses the connection; resolves when the page is connected again. */
  async reconnect(): Promise<void> {
    const before = await this.#page.evaluate(() => {
      window.loadProbe.disconnect();
      return window.loadProbe.connections();
    });
    // Connections that are lost in quick succession are opened again ever later, unless the network is said to be back.
    const isBack = (count: number): boolean => {
      window.dispatchEvent(new Event('online'));
      return window.loadProbe.connections() > count;
    };
    await this.#page.waitForFunction(isBack, before, { timeout: SHOWN_TIMEOUT_MS });
    await this.untilLive();
  }

  async untilLive(): Promise<void> {
    await this.#page.locator('[data-testid=connection][data-state=live]').waitFor({
      state: 'attached',
      timeout: SHOWN_TIMEOUT_MS,
    });
  }

  /** What is in use after everything that is not was let go of. */
  async heap(): Promise<Heap> {
    await this.#page.evaluate(() => window.loadProbe.take());
    for (let collection = 0; collection < COLLECTIONS; collection += 1) {
      await this.#cdp.send('HeapProfiler.collectGarbage');
    }
    const usage: Readonly<Record<string, number>> = { ...(await this.#cdp.send('Runtime.getHeapUsage')) };
    const { usedSize, embedderHeapUsedSize } = usage;
    if (usedSize === undefined) throw new LoadError('not_finished', 'The browser does not tell its memory.');
    return { scriptBytes: usedSize, allBytes: usedSize + (embedderHeapUsedSize ?? 0) };
  }

  close(): Promise<void> {
    return this.#page.close();
  }
}

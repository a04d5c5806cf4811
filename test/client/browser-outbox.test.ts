/** The outbox of a browser in a real one: tabs that share it, tabs and browsers that end. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { build } from 'esbuild';
import { chromium, type Browser, type BrowserContext, type Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import type { Pending } from '../../src/client/types.ts';
import { launchBrowser, launchOptions } from '../support/browser.ts';

const ORIGIN = 'http://outbox.test';

/** What the bundle puts on the page. */
interface OnPage {
  load(session: string): Promise<Pending[]>;
  put(session: string, message: Pending): Promise<void>;
  remove(session: string, id: string): Promise<void>;
  clear(session: string): Promise<void>;
  complaints: string[];
}
declare global {
  interface Window {
    outbox: OnPage;
  }
}

let script = '';
let browser: Browser;
let context: BrowserContext;

const message = (id: string, at = 1): Pending => ({ id, text: `${id} \u{1f600}`, priority: 1, at, refused: null });
const ids = (page: Page, session = 's'): Promise<string[]> =>
  page.evaluate(async (name) => (await window.outbox.load(name)).map(({ id }) => id), session);
const put = (page: Page, pending: Pending, session = 's'): Promise<void> =>
  page.evaluate(([name, given]) => window.outbox.put(name, given), [session, pending] as const);

async function serve(to: BrowserContext): Promise<void> {
  await to.route(`${ORIGIN}/**`, (route) =>
    route.fulfill({ contentType: 'text/html', body: `<!doctype html><script>${script}</script>` }),
  );
}

async function open(prepare = '', from = context): Promise<Page> {
  const page = await from.newPage();
  if (prepare !== '') await page.addInitScript(prepare);
  await page.goto(ORIGIN);
  return page;
}

beforeAll(async () => {
  const { outputFiles } = await build({
    stdin: {
      contents: `import { browserOutbox } from './browser-outbox.ts';
        const complaints = [];
        window.outbox = { ...browserOutbox({ onUnavailable: (error) => complaints.push(String(error)) }), complaints };`,
      resolveDir: join(import.meta.dirname, '../../src/client'),
    },
    bundle: true,
    minify: true,
    write: false,
    format: 'iife',
  });
  script = outputFiles[0]?.text ?? '';
});
beforeAll(async () => {
  browser = await launchBrowser();
});
afterAll(() => browser.close());
beforeEach(async () => {
  context = await browser.newContext();
  await serve(context);
});
afterEach(() => context.close());

test('tabs share it: one’s messages are the other’s, and nobody removes more than what it names', async () => {
  const [one, other] = [await open(), await open()];
  await Promise.all([put(one, message('a', 2)), put(other, message('b', 1)), put(other, message('x', 1), 't')]);
  expect(await ids(one)).toEqual(['b', 'a']);
  expect(await other.evaluate(() => window.outbox.load('s'))).toEqual([message('b', 1), message('a', 2)]);
  await Promise.all([
    one.evaluate(() => window.outbox.remove('s', 'a')),
    put(other, message('c', 3)),
    other.evaluate(() => window.outbox.remove('s', 'never was')),
  ]);
  expect(await ids(one)).toEqual(['b', 'c']);
  expect(await ids(one, 't')).toEqual(['x']);
  await put(one, { ...message('b', 1), text: 'changed', refused: { code: 'bot_not_found', message: 'gone' } });
  const [changed] = await other.evaluate(() => window.outbox.load('s'));
  expect(changed).toMatchObject({ id: 'b', text: 'changed', refused: { code: 'bot_not_found' } });
});

test('what is left of a session can be erased, that of others stays, and so for rows of another version', async () => {
  const page = await open();
  for (const session of ['r', 's', 'sa']) await put(page, message('a'), session);
  await page.evaluate(async () => {
    await window.outbox.put('s', { id: 'odd', session: 's', text: 7 } as never);
    await window.outbox.clear('s');
  });
  const rows = await page.evaluate(async () => {
    const request = indexedDB.open('switchboard');
    const database = await new Promise<IDBDatabase>((resolve) => {
      request.onsuccess = () => resolve(request.result);
    });
    const all = database.transaction('pending').objectStore('pending').getAllKeys();
    return new Promise<IDBValidKey[]>((resolve) => {
      all.onsuccess = () => resolve(all.result);
    });
  });
  expect(rows).toEqual([
    ['r', 'a'],
    ['sa', 'a'],
  ]);
});

test('a message outlives its tab', async () => {
  const page = await open();
  await put(page, message('a'));
  await page.close({ runBeforeUnload: false });
  expect(await ids(await open())).toEqual(['a']);
});

test('a message outlives a browser that is killed as soon as it is stored', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'switchboard-outbox-'));
  const launch = async (): Promise<BrowserContext> => {
    const launched = await chromium.launchPersistentContext(folder, launchOptions());
    await serve(launched);
    return launched;
  };
  const before = await launch();
  const page = await open('', before);
  const session = await before.newCDPSession(page);
  const gone = new Promise((resolve) => {
    before.once('close', resolve);
  });
  await put(page, message('a'));
  // Ends the browser's process without a chance to write anything more.
  session.send('Browser.crash').catch(() => {});
  await gone;
  const after = await launch();
  expect(await ids(await open('', after))).toEqual(['a']);
  await after.close();
  await rm(folder, { recursive: true, force: true });
});

test('what is in the store and no message of this version is left out', async () => {
  const page = await open();
  await put(page, message('a'));
  await page.evaluate(async () => {
    const request = indexedDB.open('switchboard');
    const database = await new Promise<IDBDatabase>((resolve) => {
      request.onsuccess = () => resolve(request.result);
    });
    const transaction = database.transaction('pending', 'readwrite');
    transaction.objectStore('pending').put({ session: 's', id: 'odd', text: 7 });
    await new Promise((resolve) => {
      transaction.oncomplete = resolve;
    });
  });
  expect(await ids(page)).toEqual(['a']);
});

test('a database that the browser takes away is opened again', async () => {
  const page = await open();
  await put(page, message('a'));
  await page.evaluate(
    () =>
      new Promise<void>((resolve, reject) => {
        const request = indexedDB.deleteDatabase('switchboard');
        request.onsuccess = () => resolve();
        request.onblocked = () => reject(new Error('blocked'));
      }),
  );
  await put(page, message('b'));
  expect(await ids(page)).toEqual(['b']);
  expect(await page.evaluate(() => window.outbox.complaints)).toEqual([]);
});

test.each([
  ['refuses storage', `IDBFactory.prototype.open = () => { throw new Error('refused'); };`, /refused/],
  ['leaves the opening unanswered', `IDBFactory.prototype.open = () => ({});`, /did not open/],
])('where the browser %s, messages live as long as the page, and it is said once', async (_, prepare, reason) => {
  const page = await open(prepare);
  await put(page, message('a'));
  await put(page, message('b', 2));
  await page.evaluate(() => window.outbox.remove('s', 'a'));
  expect(await ids(page)).toEqual(['b']);
  await page.evaluate(() => window.outbox.clear('s'));
  expect(await ids(page)).toEqual([]);
  expect(await page.evaluate(() => window.outbox.complaints)).toEqual([expect.stringMatching(reason)]);
});

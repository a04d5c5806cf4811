/** What is typed at the beginning of a message, and what is done with a chat; in a real browser. */
import type { Page } from 'playwright-core';
import { beforeEach, describe, expect, test } from 'vitest';
import { botAnswers, manyBots, shareAnswers, type ListedBot } from './harness/bots.ts';
import type { Feed } from './harness/feed.ts';
import { ASSISTANT } from './harness/sample.ts';
import { ORIGIN } from './harness/site.ts';
import { useStage } from './harness/stage.ts';

const stage = useStage();
let page: Page;
let feed: Feed;
let bots: ListedBot[];
/** Every change that was asked of the API. */
let changes: string[];
beforeEach(() => {
  ({ page, feed } = stage);
  bots = manyBots(1_000);
  changes = [];
  const others = botAnswers(() => bots, stage.answers);
  stage.answers = (method, url, body) => {
    if (method !== 'GET') changes.push(`${method} ${body}`);
    return others(method, url, body);
  };
});

const notes = () => page.getByTestId('note');
const suggestions = () => page.getByTestId('suggestion');
const value = () => stage.composer.inputValue();
const attribute = (name: string) => stage.composer.getAttribute(name);

describe('@ at the beginning of a message', () => {
  test('offers bots, of which the keyboard takes one; the message goes as it is', async () => {
    await stage.open();
    await stage.composer.pressSequentially('@sl');
    await expect.poll(() => suggestions().allInnerTexts()).toEqual([expect.stringMatching(/slow-cook[^]*paused/)]);
    await stage.composer.fill('@helper-98');
    await expect.poll(() => suggestions().count()).toBe(11);
    expect(await attribute('role')).toBe('combobox');
    await page.keyboard.press('ArrowDown');
    await expect.poll(() => attribute('aria-activedescendant')).toBe('suggestion-1');
    const active = page.locator('#suggestion-1');
    expect(await active.innerText()).toMatch(/^helper-980/);
    await expect.poll(() => active.getAttribute('aria-selected')).toBe('true');
    await page.keyboard.press('Enter');
    await expect.poll(() => value()).toBe('@helper-980 ');
    await expect.poll(async () => [await suggestions().count(), await attribute('role')]).toEqual([0, null]);
    await stage.composer.pressSequentially('why?');
    await page.keyboard.press('Enter');
    await expect.poll(() => stage.sent()).toEqual(['@helper-980 why?']);
  });

  test('Escape closes the list and stops no answer; in the middle of a message there is none', async () => {
    await stage.open();
    await stage.say('Hello');
    await page.getByTestId('running').waitFor();
    await stage.composer.pressSequentially('@c');
    await suggestions().first().waitFor();
    await page.keyboard.press('Escape');
    await suggestions().first().waitFor({ state: 'detached' });
    expect(feed.heard.some(({ type }) => type === 'stop')).toBe(false);
    await stage.composer.fill('ask @c');
    await page.waitForTimeout(100);
    expect(await suggestions().count()).toBe(0);
  });

  test('a finger takes one, and the field keeps the focus', async () => {
    await page.setViewportSize({ width: 360, height: 640 });
    await stage.open();
    await stage.composer.pressSequentially('@cod');
    await suggestions().first().click();
    expect(await value()).toBe('@coder ');
    expect(await page.evaluate(() => document.activeElement?.id)).toBe('composer');
  });
});

describe('/ at the beginning of a message', () => {
  test('offers commands; Enter fills one in, and runs what stands there complete', async () => {
    await stage.open();
    await stage.composer.pressSequentially('/he');
    await expect.poll(() => suggestions().allInnerTexts()).toEqual([expect.stringContaining('/help')]);
    await page.keyboard.press('Enter');
    expect(await value()).toBe('/help');
    await page.keyboard.press('Enter');
    await expect.poll(() => notes().innerText()).toContain('@bot text');
    expect(await value()).toBe('');
    await page.waitForTimeout(100);
    expect(stage.sent()).toEqual([]);
    await expect.poll(() => page.getByTestId('status').innerText()).toContain('commands are listed');
    await notes().getByRole('button').click();
    await expect.poll(() => notes().count()).toBe(0);
  });

  test('/status tells of the bot, the line and the connection', async () => {
    await stage.open();
    await stage.say('Hello');
    await page.getByTestId('running').waitFor();
    feed.wait({ reason: 'line', place: 7 });
    await page.getByTestId('wait').waitFor();
    await stage.say('/status');
    await expect
      .poll(() => notes().innerText())
      .toMatch(
        /Assistant \(llama3\.2\)[^]*running[^]*2 being answered, 5 waiting[^]*7th in line for Assistant\.[^]*good/,
      );
  });

  test('/title, /bot and /stop do what they say', async () => {
    await stage.open();
    await stage.say('/title Notes on tides');
    await stage.say('/bot coder');
    await stage.say('/stop');
    await stage.say('/bot');
    await expect
      .poll(() => notes().allInnerTexts())
      .toEqual([
        expect.stringContaining('“Notes on tides”'),
        expect.stringContaining('Coder answers from here on'),
        expect.stringContaining('No answer is being made'),
        expect.stringContaining('Assistant (/bot default) answers here'),
      ]);
    expect(changes).toEqual(['PATCH {"title":"Notes on tides"}', 'PATCH {"bot":"coder"}']);
    await stage.say('Hello');
    await page.getByTestId('running').waitFor();
    await stage.say('/stop');
    await page.getByText('Stopped', { exact: true }).waitFor();
  });

  test('/export saves a file', async () => {
    await stage.open();
    const [download] = await Promise.all([page.waitForEvent('download'), stage.say('/export json')]);
    expect(download.url()).toContain('/export?format=json');
    await download.cancel();
    await notes().getByRole('link', { name: 'Save it again as JSON' }).waitFor();
  });

  test('what failed says why, and what is unknown is explained and stays in the field', async () => {
    await stage.open();
    await stage.say('/bot nobody');
    await expect.poll(() => notes().innerText()).toContain('There is no such bot.');
    await stage.say('/dance');
    await expect.poll(() => notes().innerText()).toContain('There is no command /dance');
    await expect.poll(() => page.getByTestId('status').innerText()).toContain('no command /dance');
    expect([await value(), stage.sent()]).toEqual(['/dance', []]);
  });

  test('text that only looks like one is sent', async () => {
    await stage.open();
    feed.acknowledges = true;
    for (const text of ['/etc/hosts is empty', '//help', '/ 2']) await stage.say(text);
    await expect.poll(() => stage.sent()).toEqual(['/etc/hosts is empty', '/help', '/ 2']);
    expect(await notes().count()).toBe(0);
  });

  test('commands work before the first message, and make no chat', async () => {
    await page.goto(ORIGIN);
    await page.getByTestId('bot-picker').filter({ hasText: 'Assistant' }).waitFor();
    await stage.say('/bot coder');
    await expect.poll(() => notes().innerText()).toContain('Coder answers from here on');
    await expect.poll(() => page.getByTestId('bot-picker').innerText()).toContain('Coder');
    await stage.say('/title Early');
    await expect.poll(() => notes().last().innerText()).toContain('There is no chat yet');
    expect(changes).toEqual([]);
  });

  test('nothing of it is wider than a phone', async () => {
    await page.setViewportSize({ width: 360, height: 640 });
    await stage.open();
    for (const text of ['/help', '/status', `/${'x'.repeat(200)}`]) await stage.say(text);
    await stage.composer.fill('/');
    await suggestions().first().waitFor();
    const wider = await page.evaluate(() =>
      [...document.querySelectorAll('.main *')]
        .filter((element) => element.getBoundingClientRect().right > innerWidth)
        .map((element) => element.className),
    );
    expect(wider).toEqual([]);
  });
});

describe('a chat that is shared', () => {
  const openDialog = async () => {
    await page.locator('.header').getByLabel('Actions for').click();
    await page.locator('.header').getByRole('button', { name: 'Share' }).click();
  };

  test('gets a link to copy, which is listed and taken back', async () => {
    const shares = [{ id: 'l_old', createdAt: Date.now(), expiresAt: Date.now() + 60_000 }];
    stage.answers = shareAnswers(shares, stage.answers);
    await stage.context.grantPermissions(['clipboard-read', 'clipboard-write']);
    await stage.open();
    await openDialog();
    const dialog = page.getByTestId('share-dialog');
    await expect.poll(() => page.getByTestId('share-item').count()).toBe(1);
    await dialog.getByLabel('Ends after').selectOption('a day');
    await page.getByTestId('share-make').click();
    const url = `${ORIGIN}/shared/${'t'.repeat(64)}`;
    await expect.poll(() => page.getByTestId('share-url').inputValue()).toBe(url);
    expect(shares[1]?.expiresAt).toBeGreaterThan(Date.now() + 23 * 3_600_000);
    await dialog.getByRole('button', { name: 'Copy the link' }).click();
    await dialog.getByText('Copied').waitFor();
    await page.getByTestId('share-item').last().getByRole('button').click();
    await expect.poll(() => page.getByTestId('share-item').count()).toBe(1);
    await page.getByTestId('share-url').waitFor({ state: 'detached' });
    await page.keyboard.press('Escape');
    await dialog.waitFor({ state: 'detached' });
  });

  test('says what went wrong where the person looks', async () => {
    const refusal = { status: 503, body: { code: 'unavailable', detail: 'Not just now.' } };
    const working = shareAnswers([], stage.answers);
    stage.answers = (method, url, body) => (method === 'POST' ? refusal : working(method, url, body));
    await stage.open();
    await openDialog();
    await page.getByText('No link to this chat works.').waitFor();
    await page.getByTestId('share-make').click();
    await page.getByTestId('share-dialog').getByRole('alert').filter({ hasText: 'Not just now.' }).waitFor();
  });
});

describe('a shared link', () => {
  const message = (seq: number, role: 'user' | 'bot', more: object) => {
    return { seq, turn: 2, id: role === 'user' ? `m${seq}` : '2.1', role, at: 1_000, text: `Text ${seq}`, ...more };
  };
  let answer: object | null;
  let asked: string[];
  beforeEach(() => {
    asked = [];
    const by = { id: 'coder', name: 'Coder', revision: 1 };
    const question = message(2, 'user', { status: 'accepted', priority: 0 });
    const reply = message(3, 'bot', { status: 'complete', attempt: 1, by, text: 'An **answer**.' });
    const about = { title: 'Tides', bot: ASSISTANT, expiresAt: Date.now() + 3_600_000 };
    answer = { ...about, messages: [reply], nextCursor: 3 };
    const older = { ...about, messages: [question], nextCursor: null };
    stage.answers = (_method, url) => {
      asked.push(url.pathname + url.search);
      if (answer === null) return { status: 404, body: { code: 'not_found', detail: 'No such link.' } };
      return { body: url.searchParams.has('before') ? older : answer };
    };
  });

  test('shows the chat to read, page by page, and nothing of one’s own', async () => {
    await page.goto(`${ORIGIN}/shared/abc`);
    await page.getByRole('heading', { name: 'Tides' }).waitFor();
    await page.locator('strong').getByText('answer').waitFor();
    expect(await page.locator('.answered-by').innerText()).toBe('Coder');
    await page.getByTestId('older').click();
    await page.getByText('Text 2').waitFor();
    expect(await page.getByTestId('older').count()).toBe(0);
    expect(await page.locator('textarea, #sidebar').count()).toBe(0);
    expect(asked).toEqual(['/api/shared/abc?limit=50', '/api/shared/abc?before=3&limit=50']);
  });

  test('says plainly when it is over, also in the middle of reading', async () => {
    await page.goto(`${ORIGIN}/shared/abc`);
    await page.getByRole('heading', { name: 'Tides' }).waitFor();
    answer = null;
    await page.getByTestId('older').click();
    await page.getByRole('heading', { name: 'This link is over' }).waitFor();
    expect(await page.getByText('answer').count()).toBe(0);
    await page.reload();
    await page.getByRole('heading', { name: 'This link is over' }).waitFor();
  });

  test('a server that fails is not taken for a link that is over', async () => {
    const working = stage.answers;
    stage.answers = () => ({ status: 503, body: { code: 'unavailable', detail: 'Not just now.' } });
    await page.goto(`${ORIGIN}/shared/abc`);
    await page.getByText('Not just now.').waitFor();
    stage.answers = working;
    await page.getByRole('button', { name: 'Try again' }).click();
    await page.getByRole('heading', { name: 'Tides' }).waitFor();
  });
});

describe('nothing typed is lost', () => {
  const edit = async (text: string) => {
    await page.getByTestId('queue-edit').click();
    await page.getByLabel('Waiting message', { exact: true }).fill(text);
  };

  test('when the login ends: the page says so and offers a reload, drafts and open changes stay', async () => {
    await stage.open();
    await stage.say('first');
    await page.getByTestId('running').waitFor();
    await stage.say('second');
    await edit('second, better');
    await stage.composer.fill('half a thought');
    feed.drop(4401);
    await page.getByText('Your login has ended', { exact: false }).first().waitFor();
    await page.keyboard.press('Enter');
    await page.getByTestId('toasts').getByText('Your login has ended').waitFor();
    await expect.poll(value).toBe('half a thought');
    await page.getByRole('button', { name: 'Reload' }).click();
    await stage.live();
    await expect.poll(value).toBe('half a thought\nsecond, better');
  });

  test('but a deleted chat leaves no draft, though a change was open in it', async () => {
    await stage.open();
    await stage.say('first');
    await page.getByTestId('running').waitFor();
    await stage.say('second');
    await edit('second, secret');
    const kept = () => page.evaluate(() => JSON.stringify(Object.entries(localStorage)));
    await page.locator('.header').getByLabel('Actions for').click();
    const working = stage.answers;
    stage.answers = (method, url, body) => (method === 'DELETE' ? { body: {} } : working(method, url, body));
    await page.locator('.header').getByRole('button', { name: 'Delete' }).click();
    await page.getByTestId('confirm').click();
    await page.getByRole('heading', { name: 'What is on your mind?' }).waitFor();
    await page.waitForTimeout(100);
    expect(await kept()).not.toMatch(/secret|s_aaaa/);
    expect(await page.getByTestId('toasts').innerText()).toBe('');
  });

  test('news covers no button of a waiting message', async () => {
    await stage.open();
    await stage.say('first');
    await page.getByTestId('running').waitFor();
    for (const text of ['second', 'third', 'fourth']) await stage.say(text);
    // While one is on its way, a refusal that passes may be about it, and is no news.
    await expect.poll(() => page.getByTestId('queue-item').count()).toBe(3);
    for (const message of ['One thing.', 'Another thing.', 'A third thing.']) {
      feed.tell({ type: 'error', code: 'rate_limited', message, retryable: true });
      await page.getByText(message).waitFor();
    }
    for (const viewport of [undefined, { width: 360, height: 640 }]) {
      if (viewport) await page.setViewportSize(viewport);
      const covered = await page.evaluate(
        () =>
          [...document.querySelectorAll('.queue button, .composer button, .header button')].filter((button) => {
            const { left, top, width, height } = button.getBoundingClientRect();
            const hit = document.elementFromPoint(left + width / 2, top + height / 2);
            return width > 0 && hit?.closest('.toast') !== null && hit !== null;
          }).length,
      );
      expect(covered).toBe(0);
    }
    await page.getByTestId('queue-cancel').first().click({ timeout: 2_000 });
    await expect.poll(() => page.getByTestId('queue-item').count()).toBe(2);
  });
});

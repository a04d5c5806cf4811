/** What people meet when a bot does not answer at once, or another one answers; in a real browser. */
import type { Page } from 'playwright-core';
import { beforeEach, describe, expect, test } from 'vitest';
import type { TurnErrorCode } from '../../src/protocol/codes.ts';
import type { TurnWait } from '../../src/protocol/server-frames.ts';
import { bot, botAnswers, CODER, manyBots, type ListedBot } from './harness/bots.ts';
import type { Feed } from './harness/feed.ts';
import { useStage } from './harness/stage.ts';

const stage = useStage();
let page: Page;
let feed: Feed;
let bots: ListedBot[];
beforeEach(() => {
  ({ page, feed } = stage);
  bots = manyBots(5);
  stage.answers = botAnswers(() => bots, stage.answers);
});

/** Sends, and waits until its turn has come to the feed. */
async function ask(text: string): Promise<void> {
  await stage.say(text);
  await expect.poll(() => feed.queue.running).not.toBeNull();
}

const wait = () => page.getByTestId('wait');
const spoken = () => page.getByTestId('status').innerText();

describe('a turn that waits', () => {
  test('shows its place as it moves; read out are only its beginning, being next, and the answer', async () => {
    await stage.open();
    await page.evaluate(() => {
      const heard: string[] = [];
      Object.assign(window, { heard });
      const region = document.querySelector('[data-testid=status]');
      if (region === null) throw new Error('no status region');
      new MutationObserver(() => heard.push(region.textContent ?? '')).observe(region, {
        childList: true,
        characterData: true,
        subtree: true,
      });
    });
    await ask('Hello');
    for (const place of [4, 3, 2, 1]) {
      feed.wait({ reason: 'line', place });
      await expect.poll(() => wait().getAttribute('data-place')).toBe(String(place));
    }
    expect(await wait().innerText()).toBe('Next in line for Assistant.');
    feed.wait(null);
    await wait().waitFor({ state: 'detached' });
    feed.say('At last.');
    feed.end('reply');
    await expect.poll(spoken).toBe('The answer is complete');
    const heard = await page.evaluate(() => (window as unknown as { heard: string[] }).heard);
    const lines = new Set(heard.filter((words) => words.includes('line')));
    expect([...lines]).toEqual([expect.stringMatching(/^[34]\w\w in line/), 'Next in line for Assistant.']);
    expect(heard.at(-1)).toBe('The answer is complete');
  });

  test.each<[TurnWait['reason'], string]>([
    ['stopped', 'Assistant is stopped'],
    ['paused', 'Assistant is paused'],
    ['endpoint', 'does not answer just now'],
    ['rate', 'no turns left this minute'],
  ])('says why (%s), and can be stopped', async (reason, words) => {
    await stage.open();
    await ask('Hello');
    feed.wait({ reason, place: 0 });
    await expect.poll(() => wait().innerText()).toContain(words);
    await expect.poll(spoken).toContain(words);
    await page.getByTestId('stop').click();
    await page.getByText('Stopped', { exact: true }).waitFor();
    expect(feed.heard.some(({ type }) => type === 'stop')).toBe(true);
  });

  test('says so after a reload, and names the bot that its message names', async () => {
    await stage.open();
    await ask('@coder Hello');
    feed.wait({ reason: 'line', place: 2 });
    await expect.poll(() => wait().innerText()).toBe('2nd in line for Coder.');
    await page.reload();
    await expect.poll(() => wait().innerText()).toBe('2nd in line for Coder.');
  });
});

describe('who answered', () => {
  test('is named where it is not the chat’s own bot', async () => {
    await stage.open();
    const names = () => page.getByTestId('answered-by').allInnerTexts();
    for (const [id, name] of [
      ['default', 'Assistant'],
      ['coder', 'Coder'],
    ] as const) {
      feed.by = { id, name, revision: 1 };
      await ask('Hello');
      feed.say('Yes.');
      feed.end('reply');
      await page.getByTestId('running').waitFor({ state: 'detached' });
    }
    await expect.poll(names).toEqual(['Coder']);
  });

  test.each<[TurnErrorCode, string]>([
    ['bot_stopped', 'was stopped before the answer was complete'],
    ['line_full', 'Too many are waiting for Coder'],
    ['line_timeout', 'its turn did not come'],
    ['budget_exhausted', 'after midnight (UTC)'],
    ['bot_unavailable', 'Coder cannot answer. The key is missing.'],
  ])('a failure that is the bot’s (%s) says so and offers another one', async (code, words) => {
    feed.by = { id: 'coder', name: 'Coder', revision: 1 };
    await stage.open();
    await ask('Hello');
    feed.fail(code, 'The key is missing.');
    const failure = page.getByTestId('failure');
    await expect.poll(() => failure.innerText()).toContain(words);
    await expect.poll(spoken).toContain(words);
    await failure.getByTestId('other-bot').click();
    await page.getByTestId('bot-option').first().waitFor();
    await page.keyboard.press('Escape');
    await failure.getByTestId('try-again').click();
    await expect.poll(() => feed.heard.some(({ type }) => type === 'regenerate')).toBe(true);
  });
});

describe('the list of bots', () => {
  const picker = () => page.getByTestId('bot-picker');
  const options = () => page.getByTestId('bot-option');
  const search = () => page.getByTestId('bot-search');
  const chosen: string[] = [];
  beforeEach(() => {
    chosen.length = 0;
    const others = stage.answers;
    stage.answers = (method, url, body) => {
      if (method === 'PATCH') chosen.push(body ?? '');
      return others(method, url, body);
    };
  });

  test('shows how each is, as it is when it is opened', async () => {
    await stage.open();
    bots = [...bots, bot('newcomer', 'Newcomer', 'llama3.2', 'starting')];
    await picker().click();
    await expect
      .poll(() => options().allInnerTexts())
      .toEqual([
        expect.stringMatching(/^Assistant/),
        expect.stringMatching(/^Coder/),
        expect.stringMatching(/Night owl[^]*stopped/),
        expect.stringMatching(/Slow cook[^]*paused/),
        expect.stringMatching(/Far away[^]*not reachable/),
        expect.stringMatching(/Newcomer[^]*starting/),
      ]);
    await page.keyboard.press('Escape');
    bots = bots.map((one) => (one.id === 'default' ? { ...one, state: 'paused' } : one));
    await picker().click();
    await expect.poll(() => picker().innerText()).toMatch(/Assistant\s*paused/);
  });

  test('of a thousand one is found by typing and chosen with the keyboard', async () => {
    bots = manyBots(1_000);
    await stage.open();
    await picker().focus();
    await page.keyboard.press('Enter');
    await expect.poll(() => page.evaluate(() => document.activeElement?.getAttribute('role'))).toBe('combobox');
    expect(await options().count()).toBeLessThan(100);
    await page.keyboard.type('helper 98');
    await expect.poll(() => options().first().innerText()).toMatch(/^Helper 98/);
    await expect.poll(() => options().count()).toBe(19);
    await page.keyboard.press('ArrowDown');
    const active = await search().getAttribute('aria-activedescendant');
    expect(await page.locator(`#${active}`).innerText()).toMatch(/^Helper 980/);
    await page.keyboard.press('Enter');
    await expect.poll(() => chosen).toEqual(['{"bot":"helper-980"}']);
    await search().waitFor({ state: 'detached' });
    expect(await page.evaluate(() => document.activeElement?.getAttribute('data-testid'))).toBe('bot-picker');
  });

  test('scrolled, it goes on to its end', async () => {
    bots = manyBots(230);
    await stage.open();
    await picker().click();
    await options().first().waitFor();
    await expect
      .poll(
        async () => {
          await page.locator('.bot-list').evaluate((list) => list.scrollTo(0, list.scrollHeight));
          return options().count();
        },
        { timeout: 10_000 },
      )
      .toBe(230);
    await page.getByText('230 bots', { exact: true }).waitFor();
  });

  test('a new chat begins with the one chosen', async () => {
    let body: string | null = null;
    const others = stage.answers;
    stage.answers = (method, url, sent) => {
      if (method === 'POST' && url.pathname === '/api/sessions') body = sent;
      return others(method, url, sent);
    };
    await page.goto('http://switchboard.localhost/');
    await picker().click();
    await options().filter({ hasText: CODER.name }).click();
    await expect.poll(() => picker().innerText()).toContain('Coder');
    await stage.say('Hello');
    await expect.poll(() => body).toBe('{"bot":"coder"}');
  });
});

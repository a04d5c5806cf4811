/** Pictures of the console in its states: `node test/web/operator/shots.ts DIR [SCENES]`. For eyes, not for tests. */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { buildWeb } from '../../../src/local/build-web.ts';
import type { BotView } from '../../../src/objects/bot-rpc.ts';
import { launchBrowser } from '../../support/browser.ts';
import { CONSOLE, installConsole } from './console-site.ts';
import { entry, FakeApi, grown } from './fake-api.ts';
import { emptyStats } from '../../../src/metrics/bot-stats.ts';

const outDir = process.argv[2] ?? 'shots';
const VIEWS = { desktop: { width: 1360, height: 850 }, phone: { width: 390, height: 844 } };
const SETTLE_MS = 400;
const TICKS = 10;

const NAMES = ['Assistant', 'Support desk', 'Code review', 'Translator', 'Summaries', 'Night shift', 'Legal drafts'];
const MODELS = ['llama3.2:3b', 'qwen2.5-coder:7b', 'gemma3:12b', 'gpt-oss:20b', '@cf/meta/llama-3.3-70b-instruct'];
const STATES: BotView['state'][] = ['running', 'running', 'running', 'paused', 'stopped', 'running', 'starting'];

function seeded(): FakeApi {
  const api = new FakeApi();
  for (let at = 0; at < 300; at += 1) {
    const state = STATES[at % STATES.length] ?? 'running';
    const isUp = state === 'running';
    api.add(at === 0 ? 'default' : `bot-${String(at).padStart(3, '0')}`, {
      name: `${NAMES[at % NAMES.length]}${at < 7 ? '' : ` ${Math.floor(at / 7)}`}`,
      model: MODELS[at % MODELS.length] ?? '',
      state,
      because: state === 'paused' ? 'An operator paused it.' : null,
      uptimeMs: isUp ? 40_000_000 + at * 1_000_000 : 0,
      running: isUp ? at % 4 : 0,
      queued: isUp && at % 9 === 0 ? at % 14 : 0,
      slots: at % 3 === 0 ? 4 : null,
      connections: isUp ? (at * 7) % 60 : 0,
      stats: isUp ? grown(emptyStats(), { replies: 40 + at, failed: at % 6, firstTokenMs: 100 + at }) : emptyStats(),
    });
  }
  const startedAt = Date.now() - 190_000;
  api.change('bot-005', {
    state: 'degraded',
    because: 'The endpoint at 10.0.0.7 refuses connections.',
    breaker: 'open',
    queued: 17,
    queueLimit: 50,
    slots: 2,
    running: 1,
    lastError: {
      code: 'endpoint_unreachable',
      message: 'The endpoint could not be reached.',
      at: Date.now() - 9_000,
      session: `s_${'4f'.repeat(16)}`,
      turn: 31,
    },
    alerts: [
      {
        rule: 'endpoint_down',
        severity: 'critical',
        bot: 'bot-005',
        value: 1,
        threshold: 0,
        startedAt,
        resolvedAt: null,
      },
      {
        rule: 'slow_p95',
        severity: 'warning',
        bot: 'bot-005',
        value: 1_240,
        threshold: 500,
        startedAt,
        resolvedAt: startedAt + 60_000,
      },
    ],
  });
  api.audit.push(entry('bot-005', 3, 'update', { concurrency: 2, graceMs: null }), entry('bot-005', 2, 'launch'));
  api.audit.push(
    entry('default', 7, 'stop'),
    entry('bot-005', 1, 'create', { name: 'Night shift', model: 'gemma3:12b' }),
  );
  return api;
}

/** People at work: the counters of one bot grow. */
async function work(page: Page, api: FakeApi, id: string): Promise<void> {
  for (let tick = 0; tick < TICKS; tick += 1) {
    const bot = api.bots.get(id);
    if (!bot) return;
    const stats = grown(bot.stats, {
      replies: 3 + ((tick * 7) % 9),
      failed: tick % 4 === 0 ? 1 : 0,
      firstTokenMs: 150 + 60 * (tick % 5),
    });
    api.change(id, { stats, running: (tick * 3) % 5, queued: (tick * 5) % 8 });
    await page.clock.runFor(2_000);
    await page.waitForTimeout(60);
  }
}

type Scene = (page: Page, api: FakeApi) => Promise<unknown>;

const open = async (page: Page, hash = '') => {
  await page.goto(`${CONSOLE}${hash}`);
  await page.locator('.top-bar').waitFor();
  await page.waitForTimeout(SETTLE_MS);
};

const SCENES: Record<string, Scene> = {
  login: async (page, api) => {
    api.loggedIn = false;
    await page.goto(CONSOLE);
    await page.getByTestId('token').fill('wrong');
    await page.keyboard.press('Enter');
    await page.getByTestId('failure').waitFor();
  },
  list: (page) => open(page),
  silent: async (page, api) => {
    await open(page);
    api.reachable = false;
    await page.clock.runFor(9_000);
  },
  command: async (page) => {
    await open(page);
    await page.keyboard.press('/');
    await page.keyboard.type('stop bot-00');
  },
  bot: async (page, api) => {
    await open(page, '#/bots/default');
    await work(page, api, 'default');
  },
  degraded: async (page, api) => {
    await open(page, '#/bots/bot-005');
    await work(page, api, 'bot-005');
    await page.getByTestId('bot-audit').scrollIntoViewIfNeeded();
  },
  stop: async (page) => {
    await open(page, '#/bots/bot-005');
    await page.getByTestId('stop').click();
  },
  new: async (page) => {
    await open(page, '#/new');
    await page.getByLabel('Id', { exact: true }).fill('Not An Id');
    await page.getByLabel('Longest wait').fill('60000');
    await page.getByTestId('save').click();
  },
  conflict: async (page, api) => {
    await open(page, '#/bots/bot-005/edit');
    await page.getByLabel('Name', { exact: true }).fill('Night shift, late');
    const bot = api.bots.get('bot-005');
    if (!bot?.spec) return;
    api.change('bot-005', { revision: 2, spec: { ...bot.spec, name: 'Night watch', concurrency: 4 } });
    await page.getByTestId('save').click();
    await page.getByTestId('conflict').waitFor();
  },
  alerts: (page) => open(page, '#/alerts'),
  audit: async (page) => {
    await open(page, '#/audit');
    await page.getByTestId('verify').click();
  },
  health: (page) => open(page, '#/health'),
};

async function shoot(browser: Browser, dist: string, scene: string, view: keyof typeof VIEWS, dark: boolean) {
  const context = await browser.newContext({
    viewport: VIEWS[view],
    colorScheme: dark ? 'dark' : 'light',
    hasTouch: view === 'phone',
    isMobile: view === 'phone',
  });
  const api = seeded();
  await installConsole(context, dist, api);
  const page = await context.newPage();
  await page.clock.install();
  page.on('console', (message) => console.log(`${scene}: ${message.type()}: ${message.text()}`));
  page.on('pageerror', (error) => console.log(`${scene}: ${error.message}`));
  await SCENES[scene]?.(page, api);
  await page.waitForTimeout(SETTLE_MS);
  await page.screenshot({ path: join(outDir, `${scene}-${view}-${dark ? 'dark' : 'light'}.png`) });
  console.log(`${scene} ${view}`);
  await context.close();
}

const only = process.argv[3]?.split(',');
await mkdir(outDir, { recursive: true });
const { outDir: dist } = await buildWeb(join(outDir, 'dist'));
const browser = await launchBrowser();
for (const scene of only ?? Object.keys(SCENES)) {
  await shoot(browser, dist, scene, 'desktop', scene === 'degraded' || scene === 'health');
  await shoot(browser, dist, scene, 'phone', scene !== 'conflict');
}
await browser.close();

/** What people do, and what breaks, in a run by chance. */
import { PROTOCOL_VERSION } from '../../src/protocol/limits.ts';
import type { ClientFrame } from '../../src/protocol/client-frames.ts';
import { ALL_BOTS, refOf } from './bot-names.ts';
import { limitsBy } from './choose-bots.ts';
import { textOf } from './chance.ts';
import { hostOf } from './heal.ts';
import type { Host } from './host.ts';
import { openPage, type Browser, type Page, type RawPage } from './page.ts';
import { SessionLog } from '../../src/log/session-log.ts';
import { headOf, stateOf } from './session-notes.ts';
import type { Happening, World } from './world.ts';

/** Messages that name a bot, and some that only look as if. */
const NAMES = [
  '@helper ',
  '@helper ',
  '@writer: ',
  '@Writer,',
  '@b0 ',
  '@nobody ',
  '@helper, @writer ',
  '@helper.',
  '@-x ',
];

/** Weight of each kind of trouble; zero: not in this run. */
export interface Weather {
  crash: number;
  crashSoon: number;
  cut: number;
  silence: number;
  hibernate: number;
  clock: number;
  d1: number;
  alarm: number;
  reload: number;
  http: number;
  settings: number;
  remove: number;
  burst: number;
  operator: number;
  botSilent: number;
  botCrash: number;
  people: number;
}

export function actionsOf(world: World, weather: Weather, browsers: readonly Browser[]): Happening[] {
  const list: Happening[] = [];
  const add = (label: string, weight: number, run: () => void): void => {
    if (weight > 0) list.push({ label, weight, run });
  };
  const counted = (label: string, weight: number, run: () => void): void =>
    add(label, weight, () => {
      world.count(label);
      run();
    });
  const { host, chance } = world;
  add('person', weather.people, () => act(world));
  add('http send', weather.http, () => anyHttpSend(world, host));
  counted('burst', weather.burst, () => burst(world));
  counted('reload', weather.reload, () => reload(world, browsers));
  add('settings', weather.settings, () => {
    const patch = chance.is(0.6) ? { title: `T${chance.between(1, 3)}` } : { bot: refOf(chance.pick(ALL_BOTS)) };
    host.enter('update', (process) => process.update(patch));
  });
  if (!world.bots.free) operate(world, weather, add);
  add('remove', weather.remove, () => remove(host));
  add('crash', weather.crash, () => host.crash());
  if (world.crashAt.length === 0) {
    add('crash soon', weather.crashSoon, () => {
      const first = world.effects + chance.between(1, 30);
      // The second one comes while the next process is taking over.
      world.crashAt = chance.is(0.4) ? [first, first + chance.between(1, 12)] : [first];
    });
  }
  counted('cut', weather.cut, () => cut(world));
  counted('silence', weather.silence, () => silence(world));
  if (host.idle) counted('hibernate', weather.hibernate, () => host.hibernate());
  counted('clock jump', weather.clock, () => jump(world, browsers));
  counted('d1 down or up', weather.d1, () => {
    world.d1.down = !world.d1.down;
  });
  if (host.storage.alarm !== null && !host.firing) counted('alarm early', weather.alarm * 0.5, () => host.fireAlarm());
  counted('time passes', weather.alarm, () => {
    world.jump(chance.between(1, 5_000));
  });
  return list;
}

/** What becomes of the bots: their operator, their endpoint, their process, the way to them. */
function operate(world: World, weather: Weather, add: (label: string, weight: number, run: () => void) => void): void {
  const { chance, bots } = world;
  add('bot silent or not', weather.botSilent, () => {
    bots.silent = !bots.silent;
    if (bots.silent) world.count('bot silent');
  });
  const bot = bots.made[chance.between(0, bots.made.length - 1)];
  if (!bot) return;
  if (bot.storage.pending > 0) add('bot crash', weather.botCrash * 4, () => bots.crash(bot));
  add('bot crash', weather.botCrash, () => bots.crash(bot));
  add('operator', weather.operator, () => {
    const what = chance.weighted([
      { weight: 2, name: 'stop', run: () => bot.stop() },
      { weight: 1, name: 'pause', run: () => bot.pause() },
      { weight: 4, name: 'launch', run: () => bot.launch() },
      { weight: 1, name: 'rename', run: () => bot.rename() },
      { weight: 0.2, name: 'remove', run: () => bot.remove() },
      { weight: 1, name: 'endpoint', run: () => bot.setEndpoint(!bot.endpointDown) },
      { weight: bots.shifty.has(bot.id) ? 3 : 0, name: 'limits', run: () => bot.define(limitsBy(chance)) },
    ]);
    world.count(`bot ${what.name}`);
    what.run();
  });
}

function act(world: World): void {
  const { chance } = world;
  const raw = world.raws[0];
  if (raw && chance.is(0.3)) return sayAnything(world, raw);
  if (world.pages.length === 0) return;
  const page = chance.pick(world.pages);
  const { client } = page;
  const { queue, running, messages } = client.view;
  const { wanted } = page.host.notes;
  // What makes sense just now comes often, what does not comes too.
  const waiting = queue.waiting.map(({ id }) => id).filter((id) => wanted.some((other) => other.id === id));
  const known = chance.is(0.8) && waiting.length > 0 ? chance.pick(waiting) : wanted.at(-chance.between(1, 4))?.id;
  const lined = queue.waiting.length + (running ? 1 : 0);
  const canChange = waiting.length > 0 ? 2 : 0.3;
  const isAnswered = !running && messages.some(({ role }) => role === 'bot');
  const choice = chance.weighted([
    { weight: [3, 1.2, 0.4][lined] ?? 0.1, run: () => sendSomething(world, page) },
    { weight: running ? 1.2 : 0.1, run: () => client.stop() },
    { weight: isAnswered ? 3 : 0.2, run: () => client.regenerate() },
    { weight: canChange, run: () => known !== undefined && page.revise(known, `edited ${world.steps}`) },
    { weight: canChange, run: () => known !== undefined && page.revise(known, null) },
    { weight: 0.4, run: () => client.typing() },
    { weight: 0.4, run: () => client.wake() },
    { weight: 0.4, run: () => client.loadOlder().catch(() => {}) },
  ]);
  void choice.run();
}

function sendSomething(world: World, page: Page): void {
  const { chance } = world;
  // Now and then so long that the tight window is met by messages alone.
  const text = `q${world.steps} ${textOf(chance, 0, chance.is(0.05) ? 120 : 4)}`;
  const named = chance.is(0.15) ? chance.pick(NAMES) : '';
  if (named !== '') world.count('mention');
  page.send(chance.is(0.1) && named !== '' ? named : `${named}${text}`, chance.pick([0, 0, 0, 1, 2]));
}

function burst(world: World): void {
  if (world.pages.length === 0) return;
  const page = world.chance.pick(world.pages);
  for (let index = 0; index < 4; index += 1) page.send(`burst ${world.steps} ${index}`, 0);
}

/** A page is gone and another one comes, perhaps beside the old one. */
function reload(world: World, browsers: readonly Browser[]): void {
  const { chance } = world;
  const browser = chance.pick(browsers.filter(({ name }) => name.endsWith(world.host.id)));
  const [page] = browser.pages;
  if (page && chance.is(0.8)) page.drop();
  if (browser.pages.length < 3) openPage(world, hostOf(world, browser), browser);
}

function anyHttpSend(world: World, host: Host): void {
  const { chance } = world;
  // The same id again, now and then with another text.
  const id = `http-${chance.between(1, 4)}`;
  const text = `by HTTP ${id}${chance.is(0.1) ? ' changed' : ''}`;
  httpSend(host, { id, text, priority: chance.between(0, 2) }, chance.is(0.3));
}

export function httpSend(host: Host, message: { id: string; text: string; priority: number }, waits: boolean): void {
  host.enter('http', (process) => {
    process.guard('http');
    const result = process.send(message);
    if (!result || 'code' in result) return;
    const { seq } = result;
    const { id, text } = message;
    // The answer leaves like frames do: when what it speaks of is durable.
    const arrive = (): void => void host.notes.acknowledged.push({ id, seq, text });
    const { begun, durable } = host.storage;
    if (begun <= durable) arrive();
    else host.responses.push({ gate: begun, arrive });
    if (waits) void process.runtime?.outcome(seq, 3_000);
  });
}

export function remove(host: Host): void {
  const log = SessionLog.open(host.storage.port(() => {}));
  if (!log || log.session().removed) return;
  // An earlier erasure may have been lost with its process.
  host.notes.readOn = [];
  host.notes.erased = log.after(0, Number.MAX_SAFE_INTEGER / 2, Number.MAX_SAFE_INTEGER);
  host.enter('remove', (process) => {
    process.guard('http');
    process.remove();
    const open = host.notes.asks.filter(({ end }) => end === 'open');
    host.notes.readOn = open.map(({ turn, attempt }) => `${turn}.${attempt}`);
  });
}

function cut(world: World): void {
  const links = world.links.filter((link) => link.clientOpen && link.host === world.host);
  if (links.length === 0) return;
  const link = world.chance.pick(links);
  // Some of what was under way still arrives, on either side.
  link.down = link.down.slice(0, world.chance.between(0, link.down.length));
  link.up = [...link.up.slice(0, world.chance.between(0, link.up.length)), { close: 1006 }];
  if (!link.opened) return link.lose(1006);
  link.down.push({ close: 1006, gate: 0 });
}

function silence(world: World): void {
  const links = world.links.filter((link) => link.opened && !link.silent && link.host === world.host);
  if (links.length > 0) world.chance.pick(links).silent = true;
}

function jump(world: World, browsers: readonly Browser[]): void {
  const { chance } = world;
  const byMs = chance.pick([-60_000, -5_000, -700, 700, 5_000, 60_000, 700_000]);
  if (chance.is(0.5)) world.host.skewMs += byMs;
  else chance.pick(browsers.filter(({ name }) => name.endsWith(world.host.id))).skewMs += byMs;
}

function lastTurn(host: Host): number {
  const last = stateOf(host).last;
  return last?.turn ?? 1;
}

/** Frames that a client of ours would never send, or not now. */
function sayAnything(world: World, raw: RawPage): void {
  const { chance, host } = world;
  const head = headOf(host);
  if (chance.is(0.05)) {
    world.count('flood');
    return raw.flood(chance.pick(['{"type":"typing"}', '{']));
  }
  const { running } = stateOf(host);
  const turn = running && chance.is(0.3) ? running.turn : chance.between(1, head + 1);
  const near = chance.between(Math.max(1, head - 4), head + 1);
  const id = `raw-${chance.between(1, 4)}`;
  const frames: (ClientFrame | string)[] = [
    { type: 'hello', protocol: PROTOCOL_VERSION },
    { type: 'hello', protocol: chance.pick([1, 1, 2]) },
    { type: 'hello', protocol: PROTOCOL_VERSION, seq: chance.between(0, head + 2) },
    { type: 'hello', protocol: PROTOCOL_VERSION, seq: head, turn, attempt: chance.between(1, 2), offset: 0 },
    { type: 'send', id, text: `text of ${id}` },
    { type: 'send', id: 'bad', text: chance.pick(['', '\ud800']) },
    { type: 'edit', id, text: 'another' },
    { type: 'cancel', id },
    { type: 'stop', turn },
    { type: 'regenerate', turn: lastTurn(host), baseSeq: head },
    { type: 'regenerate', turn: lastTurn(host), baseSeq: near },
    { type: 'regenerate', turn: near, baseSeq: near },
    { type: 'credit', bytes: chance.between(1, Math.max(1, raw.unread)) },
    { type: 'typing' },
    '{"type":"nothing"}',
    '{',
  ];
  const frame = chance.pick(frames);
  if (typeof frame === 'string') raw.raw(frame);
  else raw.say(frame);
}

/** Tells the scenarios, in one fixed order of events, with a crash wherever one is asked for. */
import { PROTOCOL_VERSION } from '../../src/protocol/limits.ts';
import type { SessionAnswer } from '../../src/objects/bot-rpc.ts';
import { OWN_BOT } from './bot-names.ts';
import { Chance } from './chance.ts';
import { begin, within, type RunResult } from './seed.ts';
import { heal } from './heal.ts';
import { TIGHT } from './hooks.ts';
import { turnKnobs } from './knob.ts';
import { noteQuiet } from './quiet.ts';
import { Browser, Page, RawPage } from './page.ts';
import { httpSend, remove } from './actions.ts';
import type { Act, Scenario } from './scenarios.ts';
import { headOf, stateOf } from './session-notes.ts';
import { World, type Databases } from './world.ts';

/** What a bot says once for no reason. */
const WAIT: SessionAnswer = { do: 'wait', reason: 'line', place: 1, callAgainMs: 1_000 };
const FAIL: SessionAnswer = { do: 'fail', code: 'bot_stopped', message: 'It is so.' };

/** A second crash comes this many effects after the first one, by turns: in the middle of the recovery. */
const RECOVERY_EFFECTS = 9;

/** The places of one crash, and of another one soon after it. */
export function crashesAt(effect: number, twice: boolean): number[] {
  return twice ? [effect, effect + 1 + ((effect * 7) % RECOVERY_EFFECTS)] : [effect];
}

export function tell(
  scenario: Scenario,
  crashAt: readonly number[],
  databases: Databases,
  trace: ((line: string) => void) | null = null,
): Promise<RunResult> {
  turnKnobs(TIGHT);
  const world = new World(new Chance(crashAt[0] ?? 0), databases, 1, trace);
  return within(world, async () => {
    world.bots.free = !scenario.bots;
    const teller = new Teller(world);
    world.crashAt = [...crashAt];
    await begin(world, false);
    for (const act of scenario.acts) await teller.take(act);
    return heal(world, teller.browsers, { crashes: true, alone: scenario.alone, lateReader: true, idle: false });
  });
}

class Teller {
  readonly world: World;
  readonly browsers: Browser[];
  #sent = 0;
  /** Labels of what does not happen for now. */
  #held: string[] = [];

  constructor(world: World) {
    this.world = world;
    this.browsers = [new Browser(`p1${world.host.id}`)];
    this.#open(0);
  }

  #open(index: number): Page {
    const browser = this.browsers[index] ?? new Browser(`p${index + 1}${this.world.host.id}`);
    this.browsers[index] = browser;
    return browser.pages[0] ?? new Page(this.world, this.world.host, browser);
  }

  get #page(): Page {
    return this.#open(0);
  }

  async take(act: Act): Promise<void> {
    this.world.note(`ACT ${act}`);
    await this.world.step({ label: act, weight: 1, run: () => this.#do(act) });
    await this.#settle();
    if (act === 'piece') await this.#speak(1);
    if (act === 'answer') await this.#speak(20);
    if (act === 'wait') await this.#pass(2_500);
    if (act === 'wait unread') await this.#pass(2_500, 'down');
    if (act === 'wait long') await this.#pass(15_000);
    if (act === 'wait very long') await this.#pass(600_000);
  }

  /** Everything that needs neither time nor the model. */
  async #settle(): Promise<void> {
    for (let count = 0; count < 500; count += 1) {
      const next = this.world.happenings().find(({ label }) => {
        return label !== 'model' && !this.#held.some((held) => label.includes(held));
      });
      if (!next) return;
      await this.world.step(next);
    }
  }

  async #speak(pieces: number): Promise<void> {
    for (let piece = 0; piece < pieces; piece += 1) {
      const next = this.world.happenings().find(({ label }) => label === 'model');
      if (!next) return;
      await this.world.step(next);
      this.world.pages[0]?.note();
      await this.#settle();
    }
  }

  /** `held`: what does not happen even now. */
  async #pass(ms: number, held?: string): Promise<void> {
    const until = this.world.timeline.now + ms;
    this.#held = this.#held.filter((other) => other !== 'down' || other === held);
    for (;;) {
      const moment = this.world.nextMoment();
      noteQuiet(this.world);
      if (!moment || this.world.momentAt() > until) break;
      await this.world.step(moment);
      await this.#settle();
    }
    this.world.timeline.now = Math.max(this.world.timeline.now, until);
  }

  #send(page: Page, priority: number, named = ''): void {
    this.#sent += 1;
    page.send(`${named}question ${this.#sent} \u{1f600}`, priority);
  }

  #do(act: Act): void {
    const { world } = this;
    const { host } = world;
    const written = host.notes.wanted.at(-1)?.id;
    switch (act) {
      case 'send':
        return this.#send(this.#page, 0);
      case 'send important':
        return this.#send(this.#page, 2);
      case 'send long':
        // Fills the tight window by itself.
        return this.#send(this.#page, 0, 'x'.repeat(1_900));
      case 'send twice':
        this.#send(this.#page, 0);
        return this.#send(this.#page, 0);
      case 'other sends':
        return this.#send(this.#open(1), 1);
      case 'http send':
      case 'http again':
        return httpSend(host, { id: 'http-1', text: 'by HTTP', priority: 0 }, act === 'http send');
      case 'burst':
        for (let index = 0; index < 5; index += 1) this.#send(this.#page, 0);
        return;
      case 'model fails':
      case 'model breaks':
        for (const { plan } of world.speakers) {
          plan.pieces = [{ text: '\ud83d', thinking: '' }];
          plan.last = act === 'model fails' ? { failure: 'idle_timeout' } : { fault: true };
        }
        return this.#page.client.wake();
      case 'edit':
        return written === undefined ? undefined : this.#page.revise(written, 'edited');
      case 'cancel':
        return written === undefined ? undefined : this.#page.revise(written, null);
      case 'stop':
        return this.#page.client.stop();
      case 'stop and go on':
        for (const { plan } of world.speakers) plan.late = true;
        return this.#page.client.stop();
      case 'regenerate':
        return this.#page.client.regenerate();
      case 'stale regenerate':
        return this.#regenerateFrom(2, 2);
      case 'early regenerate':
        return this.#regenerateFrom(stateOf(host).last?.turn ?? 2, headOf(host) + 1);
      case 'second tab':
        return void this.#open(1);
      case 'reload':
        this.#page.drop();
        return void this.#page;
      case 'cut':
        for (const link of world.links) if (link.opened) link.down.push({ close: 1006, gate: 0 });
        return;
      case 'half-open':
        for (const link of world.links) link.silent = true;
        return;
      case 'late frames':
        this.#held = ['down'];
        return;
      case 'd1 down':
      case 'd1 up':
        this.#held = [];
        world.d1.down = act === 'd1 down';
        return;
      case 'd1 slow':
      case 'd1 late':
        // Nothing is answered; then nothing that a dead process has asked for.
        this.#held = [act === 'd1 slow' ? 'd1 ' : ' late'];
        return;
      case 'd1 lies':
        world.faults = { ...world.faults, d1: 0.7 };
        return;
      case 'storage fails':
      case 'storage works':
        world.faults = { ...world.faults, destroy: act === 'storage fails' ? 1 : 0 };
        return;
      case 'alarm early':
        return host.storage.alarm === null || host.firing ? undefined : host.fireAlarm();
      case 'hibernate':
        return host.idle ? host.hibernate() : undefined;
      case 'deploy':
        host.flush();
        return host.crash();
      case 'rename':
        return host.enter('update', (process) => process.update({ title: 'Another title' }));
      case 'remove':
        return remove(host);
      case 'silent reader':
        world.raws.push(new RawPage(world, host, 'raw'));
        return world.raws[0]?.say({ type: 'hello', protocol: PROTOCOL_VERSION });
      case 'second hello':
        return world.raws[0]?.raw(`{"type":"hello","protocol":${PROTOCOL_VERSION}}`);
      case 'flood':
        return world.raws[0]?.flood('{"type":"typing"}');
      case 'one slot':
        world.bots.limits = { [OWN_BOT]: { concurrency: 1 } };
        return;
      case 'rival':
        return world.bots.addRival(OWN_BOT, 2);
      case 'bot stops':
        return world.bots.bot(OWN_BOT).stop();
      case 'bot launches':
        return world.bots.bot(OWN_BOT).launch();
      case 'bot silent':
      case 'bot answers':
        world.bots.silent = act === 'bot silent';
        return;
      case 'bot crash':
        return world.bots.crash(world.bots.bot(OWN_BOT));
      case 'calls lost':
        world.bots.faults = { ...world.bots.faults, call: 0.4, wake: 0.5 };
        return;
      case 'told to wait':
      case 'told to fail':
        world.bots.says = act === 'told to wait' ? WAIT : FAIL;
        return;
      case 'mention':
        return this.#send(this.#page, 0, '@helper ');
      case 'mention nobody':
        return this.#send(this.#page, 0, '@nobody ');
      case 'slow lookups':
        world.bots.lookupMs = 3_000;
        return;
      case 'lookup lost':
        world.bots.faults = { ...world.bots.faults, lookup: 1, lookupLost: 1 };
        return;
      case 'clock back':
      case 'clock ahead':
        host.skewMs += act === 'clock back' ? -30_000 : 30_000;
        return;
      case 'piece':
      case 'answer':
      case 'wait':
      case 'wait unread':
      case 'wait long':
      case 'wait very long':
        return;
    }
  }

  /** As a page does that has slept through what came meanwhile, or believes in what never came. */
  #regenerateFrom(turn: number, baseSeq: number): void {
    const link = this.#page.link;
    if (link?.clientOpen) link.clientEnd.send(JSON.stringify({ type: 'regenerate', turn, baseSeq }));
  }
}

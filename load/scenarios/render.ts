/**
 * The page in real Chromium on the real server: from a frame's arrival to the screen, scrolling 100 and
 * 10,000 messages, typing while an answer streams, memory over messages and lost connections.
 */
import { NOISY_PERCENT, NOT_QUIET, otherPercent } from '../measure/noise.ts';
import { buildWeb } from '../../src/local/build-web.ts';
import { HistoryRows } from '../history-rows.ts';
import { Lab } from '../lab/lab.ts';
import type { SwitchboardServer } from '../lab/servers.ts';
import { UsageWatch, type Usage } from '../measure/usage.ts';
import { lengthen } from '../render/long-session.ts';
import { measureMemory, measurePage, measureShown, showAll, type RenderPlan } from '../render/measure.ts';
import { Person } from '../render/person.ts';
import { renderFigures, renderGates, type Rendered } from '../render/results.ts';
import { Reader } from '../render/view.ts';
import { LoadError, type Scenario, type ScenarioOptions, type ScenarioResult } from '../scenario.ts';

const TOKENS = 20;
const TOKEN_MS = 10;
const SCROLL_MS = 5_000;
const KEYS = 100;
/** A page shows the newest messages first. */
const FIRST_SHOWN = 50;

const PLAN: RenderPlan = {
  shortMessages: 100,
  longMessages: 10_000,
  shownMessages: 60,
  scrollMs: SCROLL_MS,
  keys: KEYS,
  memoryMessages: 500,
  reconnects: 10,
  loadAllMs: 120_000,
};

export const render = createRender(PLAN);

/** With another plan, for tests of the scenario itself. */
export function createRender(plan: RenderPlan): Scenario {
  return {
    name: 'render',
    summary: 'the page in real Chromium: frame to screen, scrolling 100 and 10,000 messages, typing, memory',
    run: (options) => Lab.run(options, (lab) => runRender(lab, planOf(plan, options))),
  };
}

/** `--seconds`: each stretch of scrolling, and as many keys as before for each of them. */
function planOf(plan: RenderPlan, { seconds, full }: ScenarioOptions): RenderPlan {
  const scrollMs = seconds === null ? plan.scrollMs * (full ? 4 : 1) : seconds * 1_000;
  const factor = scrollMs / plan.scrollMs;
  const times = (count: number): number => Math.max(1, Math.round(count * factor));
  return { ...plan, scrollMs, keys: times(plan.keys), shownMessages: times(plan.shownMessages) };
}

async function runRender(lab: Lab, plan: RenderPlan): Promise<ScenarioResult> {
  if (lab.options.url)
    throw new LoadError('usage', 'render makes a session long in the server’s files: not with --url.');
  lab.progress('building the page');
  // What is measured is what the sources say, not what was built some time ago.
  await buildWeb();
  lab.progress('starting the servers');
  const model = await lab.model({ tokens: lab.options.tokens ?? TOKENS, tokenMs: TOKEN_MS, tokensPerWrite: 1 });
  const server = await lab.switchboard(model);
  const person = await lab.keep(Person.arrive(server.url));
  const long = await person.newSession('Long');
  await person.say(long);
  lab.progress(`a session of ${plan.longMessages} messages`);
  await lengthen(server, long, plan.longMessages);
  const reader = await lab.keep(Reader.start(server.url, person.cookie));
  const watch = new UsageWatch({
    server: server.pid === null ? [] : [server.pid],
    model: model.pid === null ? [] : [model.pid],
    generator: [],
  });
  const rendered = await measureAll(lab, plan, { server, person, reader, long });
  const usage = watch.end();
  return {
    figures: renderFigures(rendered),
    gates: renderGates(rendered, plan),
    notes: [
      `Chromium ${reader.version()}, headless, drawing without a graphics card.`,
      'A frame is on the screen at the end of the drawing that contains it; answers come at 100 tokens a second, those that are typed beside at 200.',
      'Scrolling is done by script on every frame, which the browser cannot do apart from the page as it does with a wheel: the harder case.',
      `The long session is shown whole: every earlier page was loaded, all its messages are in the document.`,
      'Memory is what is in use after garbage collection: of scripts, and with the document’s elements and styles.',
      noiseNote(usage),
    ],
  };
}

interface Stage {
  server: SwitchboardServer;
  person: Person;
  reader: Reader;
  long: string;
}

async function measureAll(lab: Lab, plan: RenderPlan, { server, person, reader, long }: Stage): Promise<Rendered> {
  const short = await person.newSession('Short');
  lab.progress(`a session of ${plan.shortMessages} messages`);
  await person.fill(short, plan.shortMessages);
  const shortView = await reader.open(short, Math.min(FIRST_SHOWN, plan.shortMessages));
  await showAll(shortView, plan.shortMessages, plan.loadAllMs);
  lab.progress(`scrolling and typing in ${plan.shortMessages} messages`);
  const shortPage = await measurePage(shortView, plan);
  lab.progress(`${plan.shownMessages} messages come and are answered`);
  const shown = await measureShown(shortView, person, short, plan.shownMessages);
  await shortView.close();
  const memory = await measureMemory(lab, reader, person, plan);
  lab.progress('opening the long session');
  const longView = await reader.open(long, Math.min(FIRST_SHOWN, plan.longMessages));
  lab.progress(`waiting until D1 has the long session`);
  const rows = new HistoryRows(await server.server.miniflare.getD1Database('DB'));
  await rows.reach(plan.longMessages, lab.signal);
  lab.progress(`loading ${plan.longMessages} messages`);
  const loadedMs = await showAll(longView, plan.longMessages, plan.loadAllMs);
  lab.progress(`scrolling and typing in ${plan.longMessages} messages`);
  const longPage = await measurePage(longView, plan);
  await longView.close();
  return { short: shortPage, long: longPage, longLoadedMs: loadedMs, shown, memory };
}

/** The browser's own work is part of the other work. */
function noiseNote(usage: Usage): string {
  const percent = Math.round(otherPercent(usage) ?? Number.NaN);
  const sentence = `Beside server, model and the lab itself the machine was busy for ${percent} % of a core, the browser included`;
  return percent < 100 + NOISY_PERCENT ? `${sentence}.` : `${sentence}: ${NOT_QUIET}.`;
}

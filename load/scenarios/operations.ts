/**
 * What operators and users do one at a time (list, status, launch, stop, send, history, search, a
 * frame) with 10 and with 1,000 bots running, API calls by the second, and what bots that talk at
 * once take of memory and processor.
 */
import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { Latencies } from '../histogram.ts';
import { Lab } from '../lab/lab.ts';
import type { StartedModel } from '../lab/servers.ts';
import { machineNotes } from '../measure/figures.ts';
import { UsageWatch } from '../measure/usage.ts';
import { Caller } from '../operations/caller.ts';
import { Fleet } from '../operations/fleet.ts';
import {
  claimFigures,
  endpointFigures,
  operationsChart,
  stepFigures,
  stepGates,
  stepNotes,
  talkingFigures,
  talkingGates,
  type Step,
} from '../operations/results.ts';
import { callsPerSecond, HISTORY_PAGE_MESSAGES, measureRounds } from '../operations/rounds.ts';
import { idlePercent, measureTalking } from '../operations/talking.ts';
import { Talker } from '../operations/talker.ts';
import { LoadError, type Scenario, type ScenarioResult } from '../scenario.ts';

const BOT_STEPS = [10, 1_000];
const TALKING_STEPS = [5, 20, 100];
const ROUNDS = 220;
const FULL_ROUNDS = 1_000;
/** With `--seconds` rounds go on for as long as that, but there are so many at least. */
const MIN_ROUNDS = 5;
const MAX_TALKERS = 5;
/** Said in each talker's session before anything is measured. */
const HISTORY_MESSAGES = 300;
const TALKING_SECONDS = 8;
const FULL_TALKING_SECONDS = 60;
const CALLS_MS = 3_000;
const FULL_CALLS_MS = 15_000;
/** Copies to D1 and looks at alerts come every 10 s: idling is looked at over one such turn. */
const IDLE_MS = 10_000;
const SETTLE_MS = 1_500;
/** A bot that somebody talks to, and one that may be stopped meanwhile. */
const MIN_BOTS = 2;
const TOKENS = 20;
const TOKEN_MS = 10;
/** How often the endpoint itself is asked what a launch asks it. */
const ENDPOINT_ASKED = 50;
const OPERATOR_TOKEN_BYTES = 32;

export const operations: Scenario = {
  name: 'operations',
  summary: 'list, status, launch, stop, send, history, query, frame with 10 and 1,000 bots; 5, 20 and 100 bots talking',
  run: (options) => Lab.run(options, runOperations),
};

async function runOperations(lab: Lab): Promise<ScenarioResult> {
  if (lab.options.url)
    throw new LoadError('usage', 'operations makes bots and looks at the server’s process: not against --url.');
  if (lab.options.users !== null && lab.options.users < MIN_BOTS)
    throw new LoadError(
      'usage',
      `operations needs --users ${MIN_BOTS} at least: one is talked to, one is stopped and launched.`,
    );
  lab.progress('starting the servers');
  const operatorToken = randomBytes(OPERATOR_TOKEN_BYTES).toString('base64url');
  // At full speed: an answer that runs on would be beside the operation that is measured next.
  const fast = await lab.model({ tokens: lab.options.tokens ?? TOKENS });
  const endpoint = await askEndpoint(fast);
  const steps = await measureSteps(lab, fast, operatorToken);
  await lab.end(fast);
  const paced = await lab.model({ tokens: lab.options.tokens ?? TOKENS, tokenMs: TOKEN_MS, tokensPerWrite: 1 });
  const talking = await measureTalking(lab, paced, {
    steps: within(TALKING_STEPS, lab.options.users),
    seconds: talkingSeconds(lab),
    operatorToken,
  });
  return {
    figures: [
      ...steps.flatMap(stepFigures),
      ...talking.flatMap(talkingFigures),
      ...claimFigures(),
      ...endpointFigures(endpoint),
    ],
    gates: [...steps.flatMap(stepGates), ...talking.flatMap(talkingGates)],
    notes: [
      `Operations come one after the other, each once a round. A launch is over when the bot says that it runs: its endpoint was asked and has loaded the model.`,
      `The list is its first page, of at most 100 bots, as an operator sees it; the history a page of ${HISTORY_PAGE_MESSAGES} messages of a session of ${HISTORY_MESSAGES}; the query a full-text search of the caller's own messages.`,
      'A frame there and back is a message that the session knows: it is looked up and acknowledged again, nothing is written. Heartbeats are answered by the platform.',
      `Calls by the second: lists, states, histories and searches of several callers at once.`,
      `Memory of a bot: the growth of the server since there was none, with its session, its user's connection and what the runtime keeps for later, over the bots.`,
      `State is kept in ${lab.state.path}.`,
      ...machineNotes(talking.map(({ phase }) => phase)),
      ...steps.flatMap(stepNotes),
    ],
    charts: [operationsChart(steps)],
  };
}

/** One server, with more and more bots. */
async function measureSteps(lab: Lab, model: StartedModel, operatorToken: string): Promise<Step[]> {
  const server = await lab.switchboard(model, { variables: { OPERATOR_TOKEN: operatorToken } });
  const fleet = new Fleet(server.url, operatorToken);
  const bots = within(BOT_STEPS, lab.options.users);
  const count = Math.max(1, Math.min(MAX_TALKERS, Math.floor((bots[0] ?? 0) / 2)));
  const talkers: Talker[] = [];
  const steps: Step[] = [];
  try {
    for (const size of bots) {
      lab.progress(`launching ${size} bots`);
      await fleet.grow(size);
      if (talkers.length === 0) talkers.push(...(await makeTalkers(lab, server.url, count)));
      await sleep(SETTLE_MS, undefined, { signal: lab.signal });
      const world = { lab, fleet, talkers };
      const roles = { server: server.pid === null ? [] : [server.pid], model: model.pid === null ? [] : [model.pid] };
      const watch = new UsageWatch({ ...roles, generator: [] });
      const measured = await measureRounds(world, roundsPlan(lab, bots.length));
      const usage = watch.end();
      const perSecond = await callsPerSecond(world, callsMs(lab));
      lab.progress(`${size} bots: idle`);
      await sleep(SETTLE_MS, undefined, { signal: lab.signal });
      const percent = await idlePercent(server, IDLE_MS, lab.signal);
      steps.push({ bots: size, measured, callsPerSecond: perSecond, idlePercent: percent, usage });
    }
  } finally {
    for (const talker of talkers) talker.close();
    fleet.close();
  }
  await lab.end(server);
  return steps;
}

async function makeTalkers(lab: Lab, url: string, count: number): Promise<Talker[]> {
  lab.progress(`${count} sessions of ${HISTORY_MESSAGES} messages`);
  const connecting = Array.from({ length: count }, (_, index) => Talker.connect(url, `bot-${index + 1}`));
  const talkers = await Promise.all(connecting);
  await Promise.all(talkers.map((talker) => talker.makeHistory(HISTORY_MESSAGES)));
  return talkers;
}

/** What a launch asks of the endpoint, asked without the product between. */
async function askEndpoint({ url }: StartedModel): Promise<Latencies> {
  const endpoint = new Caller(url, {});
  const latencies = new Latencies();
  for (let asked = 0; asked < ENDPOINT_ASKED; asked += 1) {
    const { ms: probeMs } = await endpoint.get('/api/version');
    const { ms: loadMs } = await endpoint.post('/api/chat', { model: 'simulator', messages: [], stream: false });
    latencies.record(probeMs + loadMs);
  }
  endpoint.close();
  return latencies;
}

/** `most`: what `--users` allows. */
function within(steps: readonly number[], most: number | null): number[] {
  if (most === null) return [...steps];
  const fitting = steps.filter((step) => step <= most);
  return fitting.length === 0 ? [most] : fitting;
}

/** `--seconds` is shared by the rounds of all steps and the bots that talk, half and half. */
function roundsPlan({ options }: Lab, steps: number): { rounds: number; untilMs: number } {
  if (options.seconds !== null) return { rounds: MIN_ROUNDS, untilMs: (options.seconds * 1_000) / 2 / steps };
  return { rounds: options.full ? FULL_ROUNDS : ROUNDS, untilMs: 0 };
}

function talkingSeconds({ options }: Lab): number {
  if (options.seconds === null) return options.full ? FULL_TALKING_SECONDS : TALKING_SECONDS;
  return Math.max(1, options.seconds / 2 / within(TALKING_STEPS, options.users).length);
}

function callsMs({ options }: Lab): number {
  if (options.seconds !== null) return Math.min(CALLS_MS, (options.seconds * 1_000) / 4);
  return options.full ? FULL_CALLS_MS : CALLS_MS;
}

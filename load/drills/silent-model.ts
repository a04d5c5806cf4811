/**
 * The model goes silent: first for some of the questions, before the first token or in the middle,
 * while the rest of it is well; then altogether.
 */
import * as z from 'zod/mini';
import { monotonicMs } from '../clock.ts';
import { Latencies } from '../histogram.ts';
import type { TalkColumns } from '../generator/open-loop.ts';
import { atMost, LoadError } from '../scenario.ts';
import type { Drill, DrillRun, Stage, Verdict } from './drill.ts';
import { CLAIMS, figuresOf, lostGate, spread, unaffectedGates } from './figures.ts';
import { ratio, recovery, timesByPhase, type Wound } from './outcome.ts';

/**
 * What a deployment may set; the defaults (120 s, 60 s) are for models that read long prompts. So close to what the
 * reports claim that a server which is half a second late to end a turn, or to tell of it, misses it.
 */
export const TIMEOUT_MS = 4_500;
/** The group of those who met silence, and of the others beside them. */
export const SILENT_FOR_SOME = 'the model silent for some';
/** Few beside those who are answered: an endpoint that fails five turns in a row is left alone for a while, and everybody waits. */
const VICTIMS_EACH = 8;
const BEFORE_FIRST = 'fault=no-headers';
const IN_THE_MIDDLE = 'tokens=20 fault=stall@10';
/** From the first token to the tenth, the last that is heard. */
const HALF_MS = 90;
/** What was asked before nothing is heard any more is to be answered before. */
const BETWEEN_MS = 1_000;
/** Of the fault's time: for single silent answers, and for nothing at all to be heard. */
const SHARES = { some: 0.5, all: 0.2, rest: 0.3 };
const POLL_MS = 20;
const OPERATOR_TOKEN = 'an-operator-token-for-drills';
/** B19: its return is noticed within five seconds. */
const MAX_RETURN_MS = 5_000;

const botStatus = z.object({ state: z.string() });
const botList = z.object({ bots: z.array(z.object({ id: z.string(), state: z.string() })) });

interface Notes {
  beforeFirst: TalkColumns | null;
  inTheMiddle: TalkColumns | null;
  problems: Set<string>;
  degradedMs: number | null;
  runningMs: number | null;
}

export const silentModel = (): Drill => {
  const notes: Notes = {
    beforeFirst: null,
    inTheMiddle: null,
    problems: new Set(),
    degradedMs: null,
    runningMs: null,
  };
  return {
    name: 'llm-timeout',
    summary: 'the model goes silent: before the first token, in the middle, and altogether',
    users: 40,
    messagesPerMinute: 960,
    seconds: { before: 6, fault: 20, after: 6 },
    back: true,
    extraUsers: 2 * VICTIMS_EACH,
    server: {
      variables: {
        FIRST_TOKEN_TIMEOUT_MS: String(TIMEOUT_MS),
        IDLE_TIMEOUT_MS: String(TIMEOUT_MS),
        OPERATOR_TOKEN,
      },
    },
    fault: async (stage) => [await silenceSome(stage, notes), await silenceAll(stage, notes)],
    judge: (run) => judge(run, notes),
  };
};

/** Some users ask what is never answered; everybody else must not notice. */
async function silenceSome(stage: Stage, notes: Notes): Promise<Wound> {
  const at = monotonicMs();
  stage.say('the model is silent for some users');
  const seconds = (stage.faultMs * SHARES.some) / 1_000;
  const ask = async (first: number, directive: string, seed: number): Promise<TalkColumns> => {
    // Each asks once: a second question would wait behind the first, and its wait would not be the deadline's.
    const messagesPerMinute = (VICTIMS_EACH * 60) / seconds;
    const range = { first, end: first + VICTIMS_EACH };
    const { columns, problems } = await stage.talk({ ...range, seconds, messagesPerMinute, directive, seed });
    for (const problem of Object.keys(problems)) notes.problems.add(problem);
    return columns;
  };
  const { users } = stage;
  [notes.beforeFirst, notes.inTheMiddle] = await Promise.all([
    ask(users, BEFORE_FIRST, 1),
    // Not at the same moments as the others.
    ask(users + VICTIMS_EACH, IN_THE_MIDDLE, 2),
  ]);
  const healedAt = monotonicMs();
  await stage.wait(BETWEEN_MS);
  return { name: 'silent for some', at, healedAt };
}

/** The whole endpoint swallows everything: the bot has to say so, and to be back when it is. */
async function silenceAll(stage: Stage, notes: Notes): Promise<Wound> {
  const bot = await onlyBot(stage);
  const { back } = stage;
  stage.say('nothing is heard of the model any more');
  const at = monotonicMs();
  back?.set({ blackhole: true });
  notes.degradedMs = await reaches(stage, bot, 'degraded', at, stage.faultMs * SHARES.all);
  await stage.wait(Math.max(0, at + stage.faultMs * SHARES.all - monotonicMs()));
  // Those that were open stay dead, as they would.
  back?.strand();
  await back?.heal();
  const healedAt = monotonicMs();
  stage.say('the model is heard again');
  notes.runningMs = await reaches(stage, bot, 'running', healedAt, stage.faultMs * SHARES.rest);
  return { name: 'silent for all', at, healedAt };
}

async function onlyBot({ server }: Stage): Promise<string> {
  const response = await fetch(`${server.url}/api/bots`, { headers: { authorization: `Bearer ${OPERATOR_TOKEN}` } });
  return botList.parse(await response.json()).bots[0]?.id ?? '';
}

/** How long after `since` the bot said that it is in this state; null: it did not within `withinMs`. */
async function reaches(
  stage: Stage,
  bot: string,
  state: string,
  since: number,
  withinMs: number,
): Promise<number | null> {
  const headers = { authorization: `Bearer ${OPERATOR_TOKEN}` };
  while (monotonicMs() - since < withinMs) {
    const response = await fetch(`${stage.server.url}/api/bots/${encodeURIComponent(bot)}/status`, { headers });
    if (botStatus.parse(await response.json()).state === state) return monotonicMs() - since;
    await stage.wait(POLL_MS);
  }
  return null;
}

/** From when the model fell silent until the user was told, and how many were told nothing. */
function told(columns: TalkColumns | null, from: 'sentAt' | 'firstAt'): { latencies: Latencies; never: number } {
  const afterMs = from === 'firstAt' ? HALF_MS : 0;
  const waits = columns ? [...columns.failedAt].map((at, row) => at - (columns[from][row] ?? 0) - afterMs) : [];
  return { latencies: Latencies.of(waits), never: waits.filter((ms) => Number.isNaN(ms)).length };
}

function untold({ replyAt, failedAt }: TalkColumns): number {
  return replyAt.filter((at, row) => Number.isNaN(at) && Number.isNaN(failedAt[row])).length;
}

function judge(run: DrillRun, notes: Notes): Verdict {
  const cases = [
    { name: 'before the first token', ...told(notes.beforeFirst, 'sentAt') },
    { name: 'in the middle', ...told(notes.inTheMiddle, 'firstAt') },
  ];
  const [some, all] = run.wounds;
  if (!some || !all) throw new LoadError('not_finished', 'The model was not silenced.');
  const back = recovery(run.columns, [all], [], () => true);
  const { before, during } = timesByPhase(run.columns, { beginAt: some.at, endAt: some.healedAt });
  const effect = [50, 95].map((percent) => ratio(during.answer, before.answer, percent));
  const othersFigure = figuresOf(SILENT_FOR_SOME, 'others');
  const figure = figuresOf('the whole model silent');
  return {
    figures: [
      ...cases.flatMap(({ name, latencies, never }) => {
        const own = figuresOf(SILENT_FOR_SOME, name);
        return [
          own('asked', '', latencies.count + never),
          own('told that it failed', '', latencies.count),
          ...spread(own, 'silence to the user’s knowing', latencies),
        ];
      }),
      figure('silence to the bot’s state degraded', 'ms', notes.degradedMs),
      figure('healed to the bot’s state running', 'ms', notes.runningMs),
      ...spread(figure, 'healed to first token', back.firstTokenHealed),
      figure('turns under way that failed', '', run.columns.failedAt.filter((at) => !Number.isNaN(at)).length),
      othersFigure('asked', '', during.sent),
      othersFigure('answer p50, during / before', '', effect[0] ?? null),
      othersFigure('answer p95, during / before', '', effect[1] ?? null),
    ],
    gates: [
      ...cases.flatMap(({ name, latencies, never }) => [
        atMost(`${name}: silence to the user’s knowing at most, ms`, latencies.max, CLAIMS.toldMs),
        atMost(`${name}: users who were told nothing`, never, 0),
      ]),
      ...unaffectedGates('silent for some: others’ answer', during, before),
      atMost('others that were not answered meanwhile', during.sent - during.answered, 0),
      atMost('neither answered nor told why not', untold(run.columns), 0),
      lostGate(run),
      atMost('the whole model silent: the bot knows after, ms', notes.degradedMs, CLAIMS.seenMs),
      atMost('the whole model back: the bot knows after, ms', notes.runningMs, MAX_RETURN_MS),
    ],
    notes: [
      `First token and every next one have ${TIMEOUT_MS} ms (FIRST_TOKEN_TIMEOUT_MS, IDLE_TIMEOUT_MS); what is above that is the server's and the way's.`,
      `What users were told: ${[...notes.problems].map((problem) => `"${problem}"`).join(', ')}.`,
    ],
  };
}

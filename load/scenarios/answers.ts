/**
 * How many answers a second at saturation, with durability and history on, beside a bare object that
 * forwards each token and keeps nothing. The servers take turns within one run, so that whatever
 * else the machine does meanwhile hits them alike; what is judged is the ratio within a pair.
 */
import { Timings } from '../driver.ts';
import { BARE_EACH, BARE_WHOLE, OWN } from '../peers/subjects.ts';
import { figuresOfRounds, runRound, type Round, type Target } from '../round.ts';
import { atLeast, LoadError } from '../scenario.ts';
import type { Figure, Scenario, ScenarioOptions, ScenarioResult } from '../scenario.ts';
import { startBareObject, startModel, SwitchboardServer, type Started } from '../lab/servers.ts';
import { BYTES_PER_MB } from '../processes.ts';
import { stateFolder } from '../state-folder.ts';
import { median } from '../statistics.ts';
import type { LoadUser } from '../user.ts';
import { bareTarget, countsOf, roundsGates, SwitchboardTarget, type Stored } from '../targets.ts';

const USERS = 100;
const TOKENS = 20;
const PAIRS = 5;
/** Long enough that the history of a session is delivered several times within a round. */
const ROUND_SECONDS = 6;
const MIN_ROUND_SECONDS = 1;
/** Before anything is measured each server runs this long, or as long as a round, to have its code compiled. */
const MAX_WARM_UP_MS = 2_000;
/**
 * How the model's endpoint hands out its tokens: what a server reads at once depends on it. Models
 * write each token by itself; there Switchboard has to keep up with an object that reads each token.
 * An answer in one write spares that object its reads and leaves what durability costs: the ratio
 * then only guards against a fall.
 */
const WRITINGS = [
  { group: 'each token in its own write', tokensPerWrite: 1, minRatio: 1 },
  { group: 'all tokens in one write', tokensPerWrite: 0, minRatio: 0.5 },
];
type Writing = (typeof WRITINGS)[number];
const SUBJECTS = [BARE_EACH, OWN, BARE_WHOLE] as const;
type Subject = (typeof SUBJECTS)[number];

/** One server over all rounds of one way of writing. */
interface Course {
  rounds: Round[];
  timings: Timings;
}

export const answers: Scenario = {
  name: 'answers',
  summary: `answers/s at saturation beside a bare object; ${USERS} users, ${TOKENS} tokens an answer, model at full speed`,
  async run(options) {
    if (options.url) throw new LoadError('usage', 'answers compares local servers: it cannot be run against --url.');
    const plan = planOf(options);
    const state = stateFolder(options.state);
    const results: ScenarioResult[] = [];
    for (const writing of WRITINGS) results.push(await measure(writing, plan, state.path, options));
    return {
      figures: results.flatMap(({ figures }) => figures),
      gates: results.flatMap(({ gates }) => gates),
      notes: [
        `${plan.users} users, ${plan.tokens} tokens an answer, ${plan.pairs} rounds of ${plan.roundSeconds.toFixed(1)} s each.`,
        `State is kept in ${state.path}, where a sync of 4 KiB takes ${state.syncMs.toFixed(2)} ms.`,
        'Every round has fresh sessions, and their first turns are not measured. Switchboard sends the conversation so far to the model, the bare object never does.',
        'Finished answers/s also counts the processor time that history written after the window took.',
        ...results.flatMap(({ notes }) => notes),
      ],
    };
  },
};

interface Plan {
  users: number;
  tokens: number;
  pairs: number;
  roundSeconds: number;
}

/** Fewer rounds rather than very short ones. */
function planOf({ seconds, users, tokens }: ScenarioOptions): Plan {
  const turns = WRITINGS.length * SUBJECTS.length;
  const total = seconds ?? turns * PAIRS * ROUND_SECONDS;
  const pairs = Math.max(1, Math.min(PAIRS, Math.floor(total / (turns * MIN_ROUND_SECONDS))));
  return { users: users ?? USERS, tokens: tokens ?? TOKENS, pairs, roundSeconds: total / (turns * pairs) };
}

async function measure(
  writing: Writing,
  plan: Plan,
  state: string,
  { signal, progress }: ScenarioOptions,
): Promise<ScenarioResult> {
  const { group, tokensPerWrite } = writing;
  const started: Started[] = [];
  const keep = <T extends Started>(server: T): T => {
    started.push(server);
    return server;
  };
  try {
    progress(`${group}: starting the servers`);
    const model = keep(await startModel({ tokens: plan.tokens, tokensPerWrite }));
    const bare = keep(await startBareObject(model.url));
    const switchboard = keep(await SwitchboardServer.start({ modelUrl: model.url, state }));
    signal.throwIfAborted();
    const own = await SwitchboardTarget.of(switchboard, model, signal);
    const run = async (subject: Subject, timings: Timings, round: number, windowMs: number): Promise<Round> => {
      const go = <User extends LoadUser>(target: Target<User>): Promise<Round> =>
        runRound(target, timings, { round, users: plan.users, windowMs, signal });
      if (subject === OWN) return go(own);
      return go(bareTarget(bare, model, subject === BARE_EACH ? 'each' : 'whole'));
    };
    progress(`${group}: warming up`);
    const warmUpMs = Math.min(MAX_WARM_UP_MS, plan.roundSeconds * 1_000);
    for (const subject of SUBJECTS) await run(subject, new Timings(), 0, warmUpMs);
    own.takeStored();
    const courses = new Map<Subject, Course>(SUBJECTS.map((name) => [name, { rounds: [], timings: new Timings() }]));
    for (let pair = 1; pair <= plan.pairs; pair += 1) {
      for (const [subject, { rounds, timings }] of courses) {
        const round = await run(subject, timings, pair, plan.roundSeconds * 1_000);
        rounds.push(round);
        progress(
          `${group}: round ${pair} of ${plan.pairs}, ${subject}: ${Math.round(round.answersPerSecond)} answers/s`,
        );
      }
    }
    return evaluate(writing, courses, own.takeStored());
  } finally {
    for (const server of started.toReversed()) await server.stop();
  }
}

function evaluate({ group, minRatio }: Writing, courses: ReadonlyMap<Subject, Course>, stored: Stored): ScenarioResult {
  const roundsOf = (subject: Subject): Round[] => courses.get(subject)?.rounds ?? [];
  const figures = [...courses].flatMap(([subject, course]) => figuresOf(group, subject, course));
  const ratios = roundsOf(OWN).map((round, index) => {
    return round.finishedPerSecond / (roundsOf(BARE_EACH)[index]?.finishedPerSecond ?? Number.NaN);
  });
  const counts = countsOf(roundsOf(OWN));
  figures.push({
    group,
    subject: OWN,
    name: 'ratio to the bare object, each token',
    unit: '',
    value: median(ratios),
    rounds: ratios,
  });
  for (const [name, value] of Object.entries(counts)) {
    figures.push({ group, subject: OWN, name: `messages ${name}`, unit: '', value });
  }
  figures.push({
    group,
    subject: OWN,
    name: 'history rows in D1 per answer',
    unit: '',
    value: stored.rowsFound / counts.answered,
  });
  const longest = Math.max(...roundsOf(OWN).map(({ longestConversation }) => longestConversation));
  return {
    figures,
    gates: [
      atLeast(`${group}: ratio to the bare object (median of pairs)`, median(ratios), minRatio),
      ...roundsGates(group, roundsOf(OWN), stored),
    ],
    notes: [`${group}: the longest conversation of a round had ${longest} turns.`],
  };
}

function figuresOf(group: string, subject: Subject, { rounds, timings }: Course): Figure[] {
  const figure = figuresOfRounds(group, subject, rounds);
  const latencies = (
    [
      ['acknowledged', timings.ack],
      ['first token', timings.first],
      ['reply', timings.reply],
    ] as const
  ).flatMap(([name, histogram]) =>
    [50, 95, 99].map((percent): Figure => {
      return { group, subject, name: `${name} p${percent}`, unit: 'ms', value: histogram.percentile(percent) };
    }),
  );
  return [
    figure('answers/s', '', (round) => round.answersPerSecond),
    figure('finished answers/s', '', (round) => round.finishedPerSecond),
    figure('server processor per answer', 'ms', (round) => round.serverMs),
    figure('server busy in the window', '% of a core', (round) => round.serverLoad && round.serverLoad * 100),
    figure('model processor per answer', 'ms', (round) => round.modelMs),
    figure('generator processor per answer', 'ms', (round) => round.generatorMs),
    figure('frames per answer', '', (round) => round.framesPerAnswer),
    ...latencies,
    figure('finished after the last reply', 'ms', (round) => round.finishMs),
    figure('server memory', 'MB', (round) => round.residentBytes && round.residentBytes / BYTES_PER_MB),
  ];
}

/**
 * Side by side: Switchboard, Cloudflare's AIChatAgent, a plain Node server, and the bare object as
 * the limit, taking turns on one model simulator; then each that keeps anything is killed in the
 * middle of its work. The peers' packages are installed when this is first run.
 */
import { noiseNotes, otherPercent } from '../measure/noise.ts';
import { Timings } from '../driver.ts';
import { Lab } from '../lab/lab.ts';
import { UsageWatch } from '../measure/usage.ts';
import { AiChatServer } from '../peers/ai-chat-server.ts';
import { measureBill, ownCounters, type Bill } from '../peers/billing.ts';
import { CRASH_USERS, crashOwn, crashPeer, RECOVERY_MS, type CrashCounts } from '../peers/crash.ts';
import { installPeers } from '../peers/install.ts';
import { PlainServer } from '../peers/plain-server.ts';
import {
  billFigures,
  billGates,
  courseFigures,
  courseGates,
  crashFigures,
  crashGates,
  ratesChart,
  ratioFigures,
  type Compared,
  type Course,
} from '../peers/results.ts';
import {
  AI_CHAT,
  AI_CHAT_KIND,
  CHECKED_USERS,
  OWN,
  PLAIN,
  PLAIN_KIND,
  startAll,
  SUBJECTS,
  type Subject,
} from '../peers/subjects.ts';
import { SwitchboardTarget } from '../targets.ts';
import { reasonOf } from '../reason.ts';
import { LoadError, type Scenario, type ScenarioOptions, type ScenarioResult } from '../scenario.ts';

const USERS = 100;
const TOKENS = [20, 200];
const ROUNDS = 3;
const ROUND_SECONDS = 5;
const MIN_ROUND_SECONDS = 1;
/** Before anything is measured each server runs this long, to have its code compiled. */
const WARM_UP_MS = 3_000;
const CRASH_TOKENS = 20;
const CRASH_TOKEN_MS = 10;

export const peers: Scenario = {
  name: 'peers',
  summary: 'side by side with AIChatAgent, a plain Node server and the bare object: rates, times, price, a crash',
  reportSeconds: 144,
  run: (options) => Lab.run(options, runPeers),
};

interface Plan {
  users: number;
  tokens: number[];
  rounds: number;
  windowMs: number;
}

async function runPeers(lab: Lab): Promise<ScenarioResult> {
  if (lab.options.url) throw new LoadError('usage', 'peers compares local servers: it cannot be run against --url.');
  lab.progress('installing the peers');
  const versions = await installPeers(lab.signal);
  const plan = planOf(lab.options);
  const measured: Compared[] = [];
  for (const tokens of plan.tokens) measured.push(await compare(lab, plan, tokens));
  const { bills, crashes, problems: failed } = await billAndCrash(lab);
  const problems = measured.flatMap(({ tokens, courses }) =>
    [...courses].flatMap(([subject, { problem }]) =>
      problem === null ? [] : [`${subject}, ${tokens} tokens: ${problem}`],
    ),
  );
  return {
    figures: [
      ...measured.flatMap(({ tokens, courses }) => courseFigures(tokens, courses)),
      ...measured.flatMap(({ tokens, courses }) => ratioFigures(tokens, courses)),
      ...billFigures(bills),
      ...crashFigures(crashes),
    ],
    gates: [...measured.flatMap(courseGates), ...billGates(bills), ...crashGates(crashes)],
    notes: [
      `${plan.users} users who send, wait and send again; ${plan.rounds} rounds of ${(plan.windowMs / 1_000).toFixed(1)} s for each server, in turn, with fresh conversations, whose first turn is not measured. The model is at full speed, each token in a write of its own.`,
      `AIChatAgent is as its README sets it up: ${Object.entries(versions)
        .map(([name, version]) => `${name} ${version}`)
        .join(', ')}. It acknowledges nothing; its client sends the whole conversation with every message.`,
      'AIChatAgent and the bare object run as Miniflare sets up any Worker. Switchboard’s local server goes without the workers that Miniflare puts before and behind each; “direct” is the bare object without them.',
      'The plain Node server commits every message and every reply by itself (WAL, synchronous=FULL), forwards each token, and sends the last 20 messages to the model. It has no price by the row.',
      `What ${CHECKED_USERS} of the users were told is held against what the server has kept; a bare object keeps nothing.`,
      'Finished answers/s counts all replies, over the window and the processor time that the server needed afterwards.',
      'What a turn is billed for is counted with 10 users, 20 tokens at 10 ms and conversations that have begun, who pause between their turns, at Cloudflare’s prices. Switchboard’s object seconds are counted, those of its sessions; AIChatAgent’s are only those of its replies, the least that they can be.',
      `State is kept in ${lab.state.path}, where a sync of 4 KiB takes ${lab.state.syncMs.toFixed(2)} ms.`,
      `Crash: ${CRASH_USERS} users, each with a message open when the process gets SIGKILL; looked at ${RECOVERY_MS / 1_000} s after the restart, everybody connected again. The peers’ users do not send again what was not answered; Switchboard’s client does.`,
      // The servers take turns: other work hits them alike.
      ...noiseNotes(
        measured.map((one) => one.otherPercent),
        'Read the ratios.',
      ),
      ...problems,
      ...failed,
    ],
    charts: measured.map(({ tokens, courses }) => ratesChart(tokens, courses)),
  };
}

/** Fewer rounds rather than very short ones. */
function planOf({ seconds, users, tokens }: ScenarioOptions): Plan {
  const sizes = tokens === null ? TOKENS : [tokens];
  const turns = sizes.length * SUBJECTS.length;
  const total = seconds ?? turns * ROUNDS * ROUND_SECONDS;
  const rounds = Math.max(1, Math.min(ROUNDS, Math.floor(total / (turns * MIN_ROUND_SECONDS * 2))));
  return { users: users ?? USERS, tokens: sizes, rounds, windowMs: (total / (turns * rounds)) * 1_000 };
}

async function compare(lab: Lab, { users, rounds, windowMs }: Plan, tokens: number): Promise<Compared> {
  lab.progress(`${tokens} tokens: starting the servers`);
  const model = await lab.model({ tokens, tokensPerWrite: 1 });
  const servers = await startAll(lab, model);
  const courses = new Map<Subject, Course>(
    SUBJECTS.map((subject) => [subject, { rounds: new Map(), timings: new Timings(), problem: null }]),
  );
  const { signal } = lab;
  const pids = servers.started.flatMap(({ pid }) => (pid === null ? [] : [pid]));
  const watch = new UsageWatch({ server: pids, model: model.pid === null ? [] : [model.pid], generator: [] });
  // What one server cannot do in its time is its own figure: the others are measured all the same.
  const attempt = async (course: Course, work: () => Promise<void>): Promise<void> => {
    try {
      await work();
    } catch (error) {
      signal.throwIfAborted();
      course.problem = reasonOf(error);
    }
  };
  for (let round = 0; round <= rounds; round += 1) {
    for (const [subject, course] of courses) {
      lab.progress(`${tokens} tokens, ${round === 0 ? 'warming up' : `round ${round} of ${rounds}`}: ${subject}`);
      await attempt(course, async () => {
        const isWarmUp = round === 0;
        const timings = isWarmUp ? new Timings() : course.timings;
        const options = { round, users, windowMs: isWarmUp ? Math.min(WARM_UP_MS, windowMs) : windowMs, signal };
        const done = await servers.rounds[subject](timings, options);
        if (isWarmUp) servers.takeStored();
        else course.rounds.set(round, done);
      });
    }
  }
  const usage = watch.end();
  const stored = servers.takeStored();
  for (const started of [...servers.started, model]) await lab.end(started);
  return {
    tokens,
    rounds,
    courses,
    stored,
    otherPercent: otherPercent(usage),
  };
}

interface Aftermath {
  bills: Map<Subject, Bill | null>;
  crashes: Map<Subject, CrashCounts | null>;
  problems: string[];
}

/** With a model that takes its time: what a turn is billed for, and what a crash leaves. */
async function billAndCrash(lab: Lab): Promise<Aftermath> {
  const model = await lab.model({ tokens: CRASH_TOKENS, tokenMs: CRASH_TOKEN_MS, tokensPerWrite: 1 });
  const state = lab.state.path;
  const aftermath: Aftermath = { bills: new Map(), crashes: new Map(), problems: [] };
  const attempt = async <T>(
    subject: Subject,
    results: Map<Subject, T | null>,
    work: () => Promise<T>,
  ): Promise<void> => {
    lab.progress(`${results === aftermath.crashes ? 'killing' : 'counting what is billed'}: ${subject}`);
    results.set(subject, null);
    try {
      results.set(subject, await work());
    } catch (error) {
      lab.signal.throwIfAborted();
      aftermath.problems.push(`${subject}: ${reasonOf(error)}`);
    }
  };
  const own = await lab.switchboard(model, { counting: true });
  const target = await SwitchboardTarget.of(own, model, lab.signal);
  const counters = async () => ownCounters(await own.counters());
  await attempt(OWN, aftermath.bills, () =>
    measureBill(lab, { connect: () => target.connect(), counters, finish: (users) => target.finish(users) }),
  );
  await attempt(OWN, aftermath.crashes, () => crashOwn(lab, own));
  await lab.end(own);
  const aiChat = await lab.keep(AiChatServer.start(model.url, state));
  await attempt(AI_CHAT, aftermath.bills, () =>
    measureBill(lab, {
      connect: (number) => AI_CHAT_KIND.connect(aiChat.url, `bill-${number}`),
      counters: () => aiChat.counters(),
      finish: async () => undefined,
    }),
  );
  await attempt(AI_CHAT, aftermath.crashes, () => crashPeer(lab, aiChat, AI_CHAT_KIND));
  await lab.end(aiChat);
  const plain = await lab.keep(PlainServer.start(model.url, state));
  await attempt(PLAIN, aftermath.crashes, () => crashPeer(lab, plain, PLAIN_KIND));
  await lab.end(plain);
  await lab.end(model);
  return aftermath;
}

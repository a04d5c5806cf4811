/**
 * A drill: users talk at a steady rate, something breaks under them, and they go on talking until
 * it is whole again. What all drills share is here; what breaks, and what is claimed of it, is theirs.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { TcpProxy } from '../../test/support/tcp-proxy.ts';
import { monotonicMs } from '../clock.ts';
import type { TalkColumns, TalkProgress } from '../generator/open-loop.ts';
import { switchboardBench, type Settled, type SwitchboardBench } from '../lab/bench.ts';
import type { TalkOptions, TalkResult } from '../lab/generators.ts';
import { Lab } from '../lab/lab.ts';
import type { SwitchboardOptions, SwitchboardServer } from '../lab/servers.ts';
import { count, warmUp } from '../measure/phase.ts';
import { LoadError, type Figure, type Gate, type Scenario, type ScenarioResult } from '../scenario.ts';
import { healedForFirst, type KnownOutage, type Span, type Wound } from './outcome.ts';
import { resultOf } from './figures.ts';

/** More than any drill needs: talk alone is bounded by it, and with it everything that waits for its end. */
const MAX_SECONDS = 600;
const WARM_UP_SECONDS = 2;
/** User numbers that no drill reaches. */
const WARM_UP_FIRST = 100_000;
const MAX_WARM_UP_USERS = 20;
const WARM_UP_PER_MINUTE = 1_200;
const PROGRESS_MS = 1_000;
/** What was asked during the fault has to come to its end, however long the clients' last pause was. */
const DRAIN_MS = 30_000;

export interface Seconds {
  before: number;
  fault: number;
  after: number;
}

/** Where a drill happens. */
export interface Stage {
  bench: SwitchboardBench;
  server: SwitchboardServer;
  /** Users who talk all the time: from 0 on. */
  users: number;
  messagesPerMinute: number;
  /** Between users and server; null unless the drill asked for it. */
  front: TcpProxy | null;
  /** Between server and model; null unless the drill asked for it. */
  back: TcpProxy | null;
  /** As long as the fault is to last. */
  faultMs: number;
  say(this: void, line: string): void;
  wait(this: void, ms: number): Promise<void>;
  /** Lets more users talk beside those of the drill. */
  talk(this: void, options: Omit<TalkOptions, 'onProgress'>): Promise<TalkResult>;
}

/** What was measured. */
export interface DrillRun {
  users: number;
  messagesPerMinute: number;
  columns: TalkColumns;
  outages: readonly KnownOutage[];
  wounds: readonly Wound[];
  span: Span;
  problems: Record<string, number>;
  settled: Settled;
}

/** What a drill says of its own, beside what is said of every drill. */
export interface Verdict {
  figures?: Figure[];
  gates: Gate[];
  notes: string[];
}

export interface Drill {
  name: string;
  summary: string;
  users: number;
  messagesPerMinute: number;
  seconds: Seconds;
  tokens?: number;
  tokenMs?: number;
  server?: Omit<SwitchboardOptions, 'modelUrl' | 'state'>;
  /** Proxies between users and server, and between server and model. */
  front?: boolean;
  back?: boolean;
  /** What makes the users; see GeneratorOptions. */
  module?: string;
  userOptions?: (users: number) => Readonly<Record<string, string | number>>;
  /** Connected beside the users, numbered after them. */
  extraUsers?: number;
  /** Users to whom nothing is done: their waiting is the effect on others. Default: nobody is spared. */
  isOther?: (user: number, run: DrillRun) => boolean;
  /** Before anybody talks. */
  atRest?: (stage: Stage) => Promise<void>;
  /** Breaks something, mends it, and says when; the fault is over when this resolves, after about `faultMs`. */
  fault: (stage: Stage) => Promise<Wound[]>;
  judge: (run: DrillRun) => Verdict;
}

/** As something that `drill-cli.ts` can run. `make` is called for each run, so that drills may keep notes. */
export function asScenario(make: () => Drill): Scenario {
  const { name, summary } = make();
  return { name, summary, run: (options) => Lab.run(options, (lab) => runDrill(lab, make())) };
}

async function runDrill(lab: Lab, drill: Drill): Promise<ScenarioResult> {
  if (lab.options.url) throw new LoadError('usage', 'A drill breaks what it runs on: only a server of its own.');
  const stage = await setStage(lab, drill);
  const seconds = secondsOf(drill, lab.options.seconds);
  stage.faultMs = seconds.fault * 1_000;
  const { bench, users } = stage;
  const warm = { first: WARM_UP_FIRST, end: WARM_UP_FIRST + Math.min(users, MAX_WARM_UP_USERS) };
  await warmUp(bench, warm, WARM_UP_PER_MINUTE, WARM_UP_SECONDS);
  await drill.atRest?.(stage);
  lab.progress(`connecting ${users} users`);
  await bench.generators.connect({ first: 0, end: users + (drill.extraUsers ?? 0) });
  const { talked, wounds, span } = await talkAndBreak(lab, drill, stage, seconds);
  const outages = await bench.generators.outages();
  const run: DrillRun = {
    users,
    messagesPerMinute: stage.messagesPerMinute,
    columns: talked.columns,
    outages,
    wounds: healedForFirst(wounds, outages),
    span,
    problems: talked.problems,
    settled: await bench.settle(),
  };
  return resultOf(drill, run);
}

async function setStage(lab: Lab, drill: Drill): Promise<Stage> {
  const users = lab.options.users ?? drill.users;
  const messagesPerMinute = (drill.messagesPerMinute * users) / drill.users;
  const between = async (url: string): Promise<TcpProxy> => {
    const proxy = await TcpProxy.start(url);
    await lab.keep(Promise.resolve({ stop: () => proxy.close() }));
    return proxy;
  };
  let front: TcpProxy | null = null;
  let back: TcpProxy | null = null;
  const bench = await switchboardBench(lab, {
    model: { tokens: lab.options.tokens ?? drill.tokens ?? 20, tokenMs: drill.tokenMs ?? 10, tokensPerWrite: 1 },
    users: users + (drill.extraUsers ?? 0),
    messagesPerSecond: messagesPerMinute / 60,
    server: { counting: false, ...drill.server },
    ...(drill.module === undefined ? {} : { module: drill.module }),
    ...(drill.userOptions === undefined ? {} : { userOptions: drill.userOptions(users) }),
    ...(drill.front ? { beforeServer: async (url: string) => (front = await between(url)).url } : {}),
    ...(drill.back ? { beforeModel: async (url: string) => (back = await between(url)).url } : {}),
  });
  const { server } = bench;
  if (!server) throw new LoadError('start_failed', 'There is no server to break.');
  return {
    bench,
    server,
    users,
    messagesPerMinute,
    front,
    back,
    faultMs: 0,
    say: (line) => lab.progress(line),
    wait: (ms) => sleep(ms, undefined, { signal: lab.signal }),
    talk: async (options) => {
      const result = await bench.generators.talk(options);
      count(bench.tally, result);
      return result;
    },
  };
}

function secondsOf({ seconds }: Drill, wanted: number | null): Seconds {
  const all = seconds.before + seconds.fault + seconds.after;
  const scale = Math.min(MAX_SECONDS, wanted ?? all) / all;
  return { before: seconds.before * scale, fault: seconds.fault * scale, after: seconds.after * scale };
}

async function talkAndBreak(lab: Lab, drill: Drill, stage: Stage, { before, fault, after }: Seconds) {
  const { bench, users, messagesPerMinute } = stage;
  const startedAt = monotonicMs();
  let latest: TalkProgress | null = null;
  let doing = 'before';
  const timer = setInterval(() => {
    const { sent = 0, acknowledged = 0, answered = 0, failed = 0 } = latest ?? {};
    const at = Math.round((monotonicMs() - startedAt) / 1_000);
    const counts = `${sent} sent, ${acknowledged} acknowledged, ${answered} answered, ${failed} failed`;
    lab.progress(`${drill.name}, ${doing}: ${at} of ${before + fault + after} s, ${counts}`);
  }, PROGRESS_MS);
  const breakThings = async (): Promise<{ wounds: Wound[]; span: Span }> => {
    await stage.wait(before * 1_000);
    doing = 'fault';
    const beginAt = monotonicMs();
    const wounds = await drill.fault(stage);
    doing = 'after';
    return { wounds, span: { beginAt, endAt: monotonicMs() } };
  };
  try {
    const talking = bench.generators.talk({
      first: 0,
      end: users,
      seconds: before + fault + after,
      messagesPerMinute,
      drainMs: DRAIN_MS,
      onProgress: (progress) => (latest = progress),
    });
    const [talked, broken] = await Promise.all([talking, breakThings()]);
    count(bench.tally, talked);
    return { talked, ...broken };
  } finally {
    clearInterval(timer);
  }
}

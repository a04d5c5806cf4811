/** One stretch of talk at a given rate, and everything that it cost. */
import { setTimeout as sleep } from 'node:timers/promises';
import { tallyOf, type TalkColumns, type TalkProgress } from '../generator/open-loop.ts';
import type { Generators, TalkOptions, TalkResult, UserRange } from '../lab/generators.ts';
import type { Lab } from '../lab/lab.ts';
import type { Counters, StartedModel } from '../lab/servers.ts';
import { BYTES_PER_MB } from '../processes.ts';
import { timingsOf, type Ours, type TalkTimings } from './timings.ts';
import { UsageWatch, type Roles, type Usage } from './usage.ts';

/** What was said is in D1 by then: it leaves at most a second after its session fell quiet. */
const SETTLE_MS = 3_000;

/** What is loaded, and with what. */
export interface Bench {
  lab: Lab;
  generators: Generators;
  /** Null: the server has a model that the lab did not start. */
  model: StartedModel | null;
  /** The server's processes; none where it is elsewhere. */
  serverPids(this: void): number[];
  /** What it has counted so far; null where it counts nothing. */
  counters(): Promise<Counters | null>;
  /** Of all that was said on this bench, warming up included. */
  readonly tally: Tally;
}

export interface Tally {
  sent: number;
  answered: number;
  /** Ended without a whole answer. */
  failed: number;
}

export interface Phase {
  name: string;
  users: number;
  messagesPerMinute: number;
  /** How long messages were to be sent. */
  seconds: number;
  sent: number;
  acknowledged: number;
  answered: number;
  /** Answers by the second; a run that falls behind has fewer than it was asked for. */
  answersPerSecond: number;
  problems: Record<string, number>;
  timings: TalkTimings;
  ours: Ours;
  columns: TalkColumns;
  startAt: number;
  usage: Usage;
  /** Counted from the first message to the last answer, or until all of it was delivered (see PhaseOptions). */
  counted: Counters | null;
  framesPerAnswer: number | null;
  /** Of those frames' text, in UTF-16 code units. */
  charactersPerAnswer: number | null;
  /** Connections that were lost and opened anew. */
  reconnects: number;
}

export interface PhaseOptions extends Omit<TalkOptions, 'onProgress'> {
  name: string;
  /** Counts on until the history has all of it: where what is counted is a price, which a short run would cut. */
  countDelivery?: boolean;
}

export async function measurePhase(bench: Bench, { name, countDelivery, ...talk }: PhaseOptions): Promise<Phase> {
  const { generators, model } = bench;
  await model?.take();
  const countedBefore = await bench.counters();
  const before = await generators.state();
  const watch = new UsageWatch(rolesOf(bench));
  const result = await generators.talk({ ...talk, onProgress: (now) => show(bench, name, talk, watch, now) });
  const usage = watch.end();
  if (countDelivery && countedBefore) await settleDown(bench.lab);
  const countedAfter = await bench.counters();
  const after = await generators.state();
  const { columns, problems, startAt } = result;
  const generations = model ? (await model.take()).generations : null;
  const { ours, ...timings } = timingsOf(columns, generations);
  const answered = timings.answered.count;
  count(bench.tally, result);
  const inTime = columns.replyAt.filter((at) => at < result.endAt).length;
  return {
    name,
    users: talk.end - talk.first,
    messagesPerMinute: talk.messagesPerMinute,
    seconds: talk.seconds,
    sent: columns.user.length,
    acknowledged: timings.acknowledged.count,
    answered,
    answersPerSecond: inTime / talk.seconds,
    problems,
    timings,
    ours,
    columns,
    startAt,
    usage,
    counted: countedBefore && countedAfter && difference(countedBefore, countedAfter),
    framesPerAnswer: answered === 0 ? null : (after.frames - before.frames) / answered,
    charactersPerAnswer: answered === 0 ? null : (after.characters - before.characters) / answered,
    reconnects: after.connects - before.connects,
  };
}

/** From when messages were to be sent until they all were, and what was answered, was: what waits for more is idle. */
export function talkSeconds({ startAt, seconds, columns }: Phase): number {
  const lastReplyAt = columns.replyAt.reduce((last, at) => (at > last ? at : last), startAt);
  return Math.max(seconds, (lastReplyAt - startAt) / 1_000);
}

/** Lets users of its own talk before anything is measured, so that code is compiled and connections are open. */
export async function warmUp(
  bench: Bench,
  range: UserRange,
  messagesPerMinute: number,
  seconds: number,
): Promise<void> {
  bench.lab.progress('warming up');
  await bench.generators.connect(range);
  await speak(bench, range, messagesPerMinute, seconds);
  await bench.generators.close(range);
  await settleDown(bench.lab);
}

/** Waits until D1 has what was said. */
export async function settleDown({ signal }: Lab): Promise<void> {
  await sleep(SETTLE_MS, undefined, { signal });
}

/** Lets users talk that are connected and go on to be: what their first words cost is not measured. */
export async function speak(
  bench: Bench,
  range: UserRange,
  messagesPerMinute: number,
  seconds: number,
  directive = '',
): Promise<void> {
  count(bench.tally, await bench.generators.talk({ ...range, seconds, messagesPerMinute, directive }));
}

export function count(tally: Tally, { columns }: TalkResult): void {
  const { sent, answered, failed } = tallyOf(columns);
  tally.sent += sent;
  tally.answered += answered;
  tally.failed += failed;
}

export function rolesOf({ generators, model, serverPids }: Bench): Roles {
  const modelPid = model?.pid ?? null;
  return { server: serverPids(), model: modelPid === null ? [] : [modelPid], generator: generators.pids };
}

function show(
  { lab }: Bench,
  name: string,
  { seconds }: { seconds: number },
  watch: UsageWatch,
  { sent, answered, failed, worstLateMs }: TalkProgress,
): void {
  const { latest } = watch;
  const parts = [
    `${name}: ${Math.round((latest?.atMs ?? 0) / 1_000)} of ${Math.round(seconds)} s`,
    `${sent} sent`,
    `${answered} answered`,
    `${sent - answered - failed} open`,
    ...(failed > 0 ? [`${failed} FAILED`] : []),
    ...(latest?.serverLoad == null ? [] : [`server ${Math.round(latest.serverLoad * 100)} % of a core`]),
    ...(latest?.serverBytes == null ? [] : [`${Math.round(latest.serverBytes / BYTES_PER_MB)} MB`]),
    `generator up to ${worstLateMs.toFixed(1)} ms late`,
  ];
  lab.progress(parts.join(', '));
}

function difference(before: Counters, after: Counters): Counters {
  return {
    workerRequests: after.workerRequests - before.workerRequests,
    objectRequests: after.objectRequests - before.objectRequests,
    frames: after.frames - before.frames,
    alarms: after.alarms - before.alarms,
    heldMs: after.heldMs - before.heldMs,
    built: after.built - before.built,
    objectRowsWritten: after.objectRowsWritten - before.objectRowsWritten,
    objectRowsRead: after.objectRowsRead - before.objectRowsRead,
    historyRowsWritten: after.historyRowsWritten - before.historyRowsWritten,
    historyRowsRead: after.historyRowsRead - before.historyRowsRead,
  };
}

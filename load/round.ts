/**
 * One round: fresh users at one server say one thing each, which is not measured, and then talk for a while; the server
 * finishes. What that took, and what became of it. Without the first turn, a server that gets to no second one within
 * its time would be judged by what beginning costs, and the others by what going on does.
 */
import type { Counts } from './check.ts';
import { closedLoop, Timings, type Exchange } from './driver.ts';
import { processorSeconds, residentBytes } from './processes.ts';
import { LoadError, type Figure } from './scenario.ts';
import { median } from './statistics.ts';
import type { LoadUser } from './user.ts';

/** Connecting all at once would measure the storm, not the talk. */
const CONNECTS_AT_ONCE = 10;

/** A server as a round loads it. */
export interface Target<User extends LoadUser> {
  /** Process of the server and of the model; null: not measured. */
  serverPid: number | null;
  modelPid: number | null;
  /** A new user with a conversation of its own. */
  connect(round: number, number: number): Promise<User>;
  /** Waits for what the server still has to do after the last reply. */
  finish?(users: readonly User[]): Promise<void>;
  /** Holds the histories against what was sent; a server that keeps none has nothing to be held against. */
  check?(users: readonly User[], exchanges: readonly Exchange[][]): Promise<Counts>;
}

export interface RoundOptions {
  round: number;
  users: number;
  windowMs: number;
  signal: AbortSignal;
}

export interface Round {
  /** Replies within the window, for each of its seconds. */
  answersPerSecond: number;
  /** All replies, over the window and the processor time that the server needed afterwards to finish. */
  finishedPerSecond: number;
  answers: number;
  framesPerAnswer: number;
  /** From the last reply until the server had finished. */
  finishMs: number;
  /** Processor time per answer in ms, until the server had finished. */
  serverMs: number | null;
  modelMs: number | null;
  generatorMs: number;
  /** Share of one core that the server used within the window. */
  serverLoad: number | null;
  residentBytes: number | null;
  /** In turns, with the one that was not measured. */
  longestConversation: number;
  /** Of all that was said, the first turns included; null: nobody looked. */
  counts: Counts | null;
}

/** Makes figures of rounds: the median, with what each of them had; one that does not know is left out. */
export function figuresOfRounds(group: string, subject: string, rounds: readonly Round[]) {
  return (name: string, unit: string, of: (round: Round) => number | null): Figure => {
    const values = rounds.map(of).filter((value) => value !== null);
    return { group, subject, name, unit, value: values.length === 0 ? null : median(values), rounds: values };
  };
}

export async function runRound<User extends LoadUser>(
  target: Target<User>,
  timings: Timings,
  { round, users: count, windowMs, signal }: RoundOptions,
): Promise<Round> {
  const users = await connectAll(target, round, count, signal);
  try {
    const first = await closedLoop(users, { windowMs: 0, signal, atEnd: () => undefined });
    signal.throwIfAborted();
    const framesBefore = framesOf(users);
    const usage = watchUsage(target.serverPid, target.modelPid);
    const loop = await closedLoop(users, { windowMs, sentBefore: 1, signal, atEnd: usage.windowOver });
    signal.throwIfAborted();
    const frames = framesOf(users) - framesBefore;
    const finishFrom = performance.now();
    await target.finish?.(users);
    const finishMs = performance.now() - finishFrom;
    const used = usage.finished();
    const said = first.exchanges.map((own, index) => [...own, ...(loop.exchanges[index] ?? [])]);
    const exchanges = loop.exchanges.flat();
    timings.record(exchanges);
    const answers = exchanges.filter(({ reply }) => reply !== null).length;
    if (answers === 0) throw new LoadError('not_finished', `No message was answered: ${problemOf(exchanges)}.`);
    const perAnswer = (seconds: number | null): number | null => seconds && (seconds * 1_000) / answers;
    const seconds = loop.windowMs / 1_000;
    return {
      answersPerSecond: loop.inWindow / seconds,
      finishedPerSecond:
        answers / (used.serverAfter === null ? seconds + loop.tailMs / 1_000 : seconds + used.serverAfter),
      answers,
      framesPerAnswer: frames / answers,
      finishMs,
      serverMs: perAnswer(used.server),
      modelMs: perAnswer(used.model),
      generatorMs: (used.generator * 1_000) / answers,
      serverLoad: used.serverInWindow === null ? null : used.serverInWindow / seconds,
      residentBytes: target.serverPid === null ? null : residentBytes(target.serverPid),
      longestConversation: Math.max(...said.map((own) => own.length)),
      counts: (await target.check?.(users, said)) ?? null,
    };
  } finally {
    for (const user of users) user.close();
  }
}

async function connectAll<User extends LoadUser>(
  target: Target<User>,
  round: number,
  count: number,
  signal: AbortSignal,
): Promise<User[]> {
  const users: User[] = [];
  let next = 0;
  const connect = async (): Promise<void> => {
    while (next < count && !signal.aborted) users.push(await target.connect(round, next++));
  };
  const results = await Promise.allSettled(Array.from({ length: CONNECTS_AT_ONCE }, connect));
  const failed = results.find((result) => result.status === 'rejected');
  if (!failed && !signal.aborted) return users;
  for (const user of users) user.close();
  signal.throwIfAborted();
  throw failed?.reason;
}

function framesOf(users: readonly LoadUser[]): number {
  return users.reduce((sum, { received }) => sum + received.frames, 0);
}

function problemOf(exchanges: readonly Exchange[]): string {
  return exchanges.find(({ problem }) => problem !== null)?.problem ?? 'for no known reason';
}

/** Processor seconds from now on, of server, model and this process. */
function watchUsage(serverPid: number | null, modelPid: number | null) {
  const now = () => ({
    server: serverPid === null ? null : processorSeconds(serverPid),
    model: modelPid === null ? null : processorSeconds(modelPid),
    generator: process.cpuUsage(),
  });
  const since = (from: number | null, to: number | null): number | null =>
    from === null || to === null ? null : to - from;
  const start = now();
  let end = start;
  return {
    windowOver: (): void => {
      end = now();
    },
    finished: () => {
      const last = now();
      const generator = process.cpuUsage(start.generator);
      return {
        server: since(start.server, last.server),
        serverInWindow: since(start.server, end.server),
        serverAfter: since(end.server, last.server),
        model: since(start.model, last.model),
        generator: (generator.user + generator.system) / 1_000_000,
      };
    },
  };
}

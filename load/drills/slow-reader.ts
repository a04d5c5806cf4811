/** Tabs that stop reading, beside tabs of the same sessions and users of others who read on: nobody may pay for them. */
import { fileURLToPath } from 'node:url';
import { CREDIT_WINDOW_BYTES } from '../../src/protocol/limits.ts';
import { monotonicMs } from '../clock.ts';
import { BYTES_PER_MB, residentBytes } from '../processes.ts';
import type { TalkColumns } from '../generator/open-loop.ts';
import { atMost } from '../scenario.ts';
import type { Drill, DrillRun, Stage, Verdict } from './drill.ts';
import { answeredGate, figuresOf, lostGate, spread, unaffectedGates } from './figures.ts';
import { ratio, timesByPhase, type Wound } from './outcome.ts';

const MODULE = fileURLToPath(new URL('../generator/slow-reader-users.ts', import.meta.url));
const WATCHED = 2;
/** Those that stopped cost nothing; those that still read are a load of their own, which is why there are few answers. */
const READERS_EACH = 30;
const WATCHED_PER_MINUTE = WATCHED * 30;
/** On the wire twice, as a piece and as the reply. */
const ANSWER_CHARACTERS = 150_000;
const LONG = `tokens=1 fault=huge:${ANSWER_CHARACTERS}`;
/** Of what they did not read, beyond the one window that each of them may be sent: who keeps it all for them grows by all of it. */
const MAX_GROWN_SHARE = 0.25;
const POLL_MS = 100;
/**
 * Of the fault's time: reading, until the server does not grow any more by the long answers themselves; then not, so
 * long that what is not read is many times a window; then again.
 */
const SHARES = { reading: 0.5, stalled: 0.4 };
const CATCH_UP_MS = 1_000;

interface Notes {
  watched: TalkColumns | null;
  stalledAt: number;
  resumedAt: number;
  /** Resident, while they read and while they do not: at most. */
  readingBytes: number;
  stalledBytes: number;
}

export const slowReader = (): Drill => {
  const notes: Notes = { watched: null, stalledAt: 0, resumedAt: 0, readingBytes: 0, stalledBytes: 0 };
  return {
    name: 'slow-reader',
    summary: `${WATCHED * READERS_EACH} tabs stop reading long answers, beside users who read`,
    users: 40,
    messagesPerMinute: 960,
    seconds: { before: 2, fault: 50, after: 4 },
    module: MODULE,
    userOptions: (users) => ({ watched: users, readers: READERS_EACH }),
    extraUsers: WATCHED,
    fault: (stage) => stall(stage, notes),
    judge: (run) => judge(run, notes),
  };
};

async function stall(stage: Stage, notes: Notes): Promise<Wound[]> {
  const range = { first: stage.users, end: stage.users + WATCHED };
  const { generators } = stage.bench;
  const at = monotonicMs();
  const seconds = stage.faultMs / 1_000;
  stage.say('long answers, and everybody reads');
  const talking = stage.talk({ ...range, seconds, messagesPerMinute: WATCHED_PER_MINUTE, directive: LONG });
  const untilAt = at + stage.faultMs;
  notes.readingBytes = await mostBytes(stage, at + stage.faultMs * SHARES.reading);
  stage.say(`${WATCHED * READERS_EACH} tabs stop reading`);
  notes.stalledAt = monotonicMs();
  await generators.setReading(range, false);
  notes.stalledBytes = await mostBytes(stage, notes.stalledAt + stage.faultMs * SHARES.stalled);
  notes.resumedAt = monotonicMs();
  await generators.setReading(range, true);
  stage.say('they read again');
  notes.watched = (await talking).columns;
  await stage.wait(Math.max(0, untilAt - monotonicMs()) + CATCH_UP_MS);
  return [{ name: 'tabs that do not read', at: notes.stalledAt, healedAt: notes.resumedAt }];
}

/** NaN, which no gate takes for little: nobody could look. */
async function mostBytes({ server, wait }: Stage, untilAt: number): Promise<number> {
  const seen: number[] = [];
  while (monotonicMs() < untilAt) {
    const bytes = server.pid === null ? null : residentBytes(server.pid);
    if (bytes !== null) seen.push(bytes);
    await wait(POLL_MS);
  }
  return seen.length === 0 ? Number.NaN : Math.max(...seen);
}

function judge(run: DrillRun, notes: Notes): Verdict {
  const { watched, stalledAt, resumedAt } = notes;
  const stalled = { beginAt: stalledAt, endAt: resumedAt };
  const own = watched && timesByPhase(watched, stalled);
  const others = timesByPhase(run.columns, stalled);
  const unread = (own?.during.answered ?? 0) * 2 * ANSWER_CHARACTERS * READERS_EACH;
  const grown = notes.stalledBytes - notes.readingBytes;
  const windows = WATCHED * READERS_EACH * CREDIT_WINDOW_BYTES;
  const figure = figuresOf('readers that do not read');
  const effect = (times: typeof own, percent: number): number | null => {
    return times && ratio(times.during.answer, times.before.answer, percent);
  };
  return {
    figures: [
      figure('tabs', '', WATCHED * READERS_EACH),
      figure('not read by them', 'MB', unread / BYTES_PER_MB),
      figure('server’s memory while they read, at most', 'MB', notes.readingBytes / BYTES_PER_MB),
      figure('server’s memory while they do not, at most', 'MB', notes.stalledBytes / BYTES_PER_MB),
      figure('grown', 'MB', grown / BYTES_PER_MB),
      figure('of that at most in windows', 'MB', windows / BYTES_PER_MB),
      figure('other users: answer p50, stalled / reading', '', effect(others, 50)),
      figure('other users: answer p95, stalled / reading', '', effect(others, 95)),
      figure('other tab of the same session: answer p50, stalled / reading', '', effect(own, 50)),
      figure('other tab of the same session: answer p95, stalled / reading', '', effect(own, 95)),
      ...(own ? spread(figure, 'other tab of the same session: long answer', own.during.answer) : []),
    ],
    gates: [
      answeredGate(run),
      atMost('long answers that never came', watched ? missing(watched) : null, 0),
      atMost('memory grown beyond a window each, of what was not read', (grown - windows) / unread, MAX_GROWN_SHARE),
      ...unaffectedGates('other users: answer', others.during, others.before),
      lostGate(run),
    ],
    notes: [
      'Compared with the same talk while those tabs still read. They go on pinging all the time; what they did not read is counted from the answers given meanwhile.',
      'After they read again every one of them is where its session is ("told differently over HTTP": 0), and was never sent more than one window beyond what it had read (rule S17 of every history).',
    ],
  };
}

function missing({ replyAt }: TalkColumns): number {
  return replyAt.filter((at) => Number.isNaN(at)).length;
}

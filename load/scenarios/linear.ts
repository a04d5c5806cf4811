/**
 * Do costs grow with what they should not grow with? The same messages are said to few and to many
 * sessions, and in short and in long ones; what an answer takes of the processor must stay the same.
 * Each variant has a server of its own, and they take turns, so that other work on the machine hits
 * them alike. A session whose turn it was not sleeps by the time it is: all are woken before they are
 * measured, and what a message costs that wakes its session is measured for itself. After them as many
 * sessions of a bare object, which shows what grows there, too: connections, their heartbeats, the runtime.
 */
import { MAX_GROWTH, measureCourse, ROUNDS, type Variant } from '../linear/course.ts';
import { measureSaturation } from '../linear/saturation.ts';
import { lengthen } from '../render/long-session.ts';
import { HistoryRows } from '../history-rows.ts';
import { bareBench, switchboardBench, type SwitchboardBench } from '../lab/bench.ts';
import { Lab } from '../lab/lab.ts';
import { LoadError, type Scenario, type ScenarioResult } from '../scenario.ts';
import { newSession, type SessionAccess } from '../switchboard/user.ts';

const SESSIONS = [10, 100, 1_000];
const HISTORIES = [10, 1_000, 10_000];
const TOKENS = 20;
const MODEL = { tokens: TOKENS, tokenMs: 0, tokensPerWrite: 0 };
/** Of all sessions together, so that each of 1,000 speaks before its object leaves memory for want of work (10 s). */
const SESSIONS_PER_SECOND = 125;
/** So few have a history made for them: D1 gets all of it before anything is measured. */
const LONG_SESSIONS = 4;
const HISTORY_PER_SECOND = 40;
const SECONDS = 108;
const MIN_ROUND_SECONDS = 2;
/** At saturation the last answers of many sessions come after the window: a short one would be all end. */
const SATURATED_MS = 4_000;
export const BY_SESSIONS = 'by the number of sessions';
export const BARE_BY_SESSIONS = 'a bare object, by the number of sessions';
export const BY_HISTORY = 'by the messages of a session';
const FIRST_ANSWER_WAIT_SECONDS = 30;

export const linear: Scenario = {
  name: 'linear',
  summary: 'processor time an answer with 10, 100 and 1,000 sessions, and with 10, 1,000 and 10,000 messages in each',
  reportSeconds: 36,
  run: (options) => Lab.run(options, runLinear),
};

async function runLinear(lab: Lab): Promise<ScenarioResult> {
  if (lab.options.url) throw new LoadError('usage', 'linear compares local servers: it cannot be run against --url.');
  const total = lab.options.seconds ?? SECONDS;
  const seconds = Math.max(MIN_ROUND_SECONDS, total / ROUNDS / (SESSIONS.length + HISTORIES.length));
  const sizes = SESSIONS.filter((size) => size <= (lab.options.users ?? Infinity));
  if (sizes.length < 2)
    throw new LoadError('usage', `linear compares numbers of sessions: --users ${SESSIONS[1]} at least.`);
  const bySessions = await measureCourse(lab, seconds, {
    group: BY_SESSIONS,
    unit: 'sessions',
    perSecond: SESSIONS_PER_SECOND,
    variants: await inTurn(sizes, (size) => withSessions(lab, size)),
  });
  const bare = await measureCourse(lab, seconds, {
    group: BARE_BY_SESSIONS,
    unit: 'bare sessions',
    perSecond: SESSIONS_PER_SECOND,
    variants: await inTurn(sizes, (size) => withBareSessions(lab, size)),
  });
  const byHistory = await measureCourse(lab, seconds, {
    group: BY_HISTORY,
    unit: 'messages',
    perSecond: HISTORY_PER_SECOND,
    variants: await inTurn(HISTORIES, (size) => withHistory(lab, size)),
  });
  const saturated = await measureSaturation(lab, {
    sizes,
    tokens: TOKENS,
    rounds: ROUNDS,
    windowMs: SATURATED_MS,
    minRatio: 1 / MAX_GROWTH,
  });
  return {
    figures: [...bySessions.figures, ...bare.figures, ...saturated.figures, ...byHistory.figures],
    gates: [...bySessions.gates, ...bare.gates, ...saturated.gates, ...byHistory.gates],
    notes: [
      `${ROUNDS} rounds of ${seconds.toFixed(1)} s each, in turn; figures are medians. The model answers with ${TOKENS} tokens in one write, so that how much is read at once is the same for all.`,
      `${SESSIONS_PER_SECOND} messages a second over all sessions; ${HISTORY_PER_SECOND} a second over ${LONG_SESSIONS} sessions with a history.`,
      ...saturated.notes,
      'What is answered a second at saturation is not measured by the messages of a session: the processor time of an answer says it.',
      'The bare object reads the whole answer at once, and is measured after Switchboard’s sessions, not in turn with them.',
      ...bySessions.notes,
      ...bare.notes,
      ...byHistory.notes,
    ],
  };
}

async function withSessions(lab: Lab, size: number): Promise<Variant> {
  const bench = await benchFor(lab, size, SESSIONS_PER_SECOND);
  lab.progress(`connecting ${size} sessions`);
  await bench.generators.connect({ first: 0, end: size });
  return { size, bench, users: size };
}

/** An object each that reads the answer at once and keeps nothing. */
async function withBareSessions(lab: Lab, size: number): Promise<Variant> {
  lab.progress(`connecting ${size} bare sessions`);
  const bench = await bareBench(lab, { model: MODEL, users: size, messagesPerSecond: SESSIONS_PER_SECOND }, 'whole');
  await bench.generators.connect({ first: 0, end: size });
  return { size, bench, users: size };
}

/** Sessions that are long already; their users connect only then, and D1 has what they say. */
async function withHistory(lab: Lab, size: number): Promise<Variant> {
  const access = await longSessions(lab, size);
  const { bench, sessions } = access;
  const users = sessions.length;
  lab.progress(`${users} sessions of ${size} messages: D1 takes them in`);
  await bench.generators.connect({ first: 0, end: users });
  const rows = bench.server && new HistoryRows(await bench.server.server.miniflare.getD1Database('DB'));
  await rows?.reach(users * size, lab.signal);
  return { size, bench, users };
}

async function longSessions(
  lab: Lab,
  size: number,
): Promise<{ bench: SwitchboardBench; sessions: readonly SessionAccess[] }> {
  const sessions: SessionAccess[] = [];
  const bench = await benchFor(lab, LONG_SESSIONS, HISTORY_PER_SECOND, async (url, server) => {
    for (let number = 0; number < LONG_SESSIONS; number += 1) {
      lab.progress(`making session ${number + 1} of ${LONG_SESSIONS} ${size} messages long`);
      const session = await newSession(url);
      await firstAnswer(url, session);
      await lengthen(server, session.session, size);
      sessions.push(session);
    }
    return { access: JSON.stringify(sessions), record: 0 };
  });
  return { bench, sessions };
}

function benchFor(
  lab: Lab,
  users: number,
  messagesPerSecond: number,
  prepare?: Parameters<typeof switchboardBench>[1]['prepare'],
): Promise<SwitchboardBench> {
  return switchboardBench(lab, {
    model: MODEL,
    users,
    messagesPerSecond,
    server: { counting: false },
    ...(prepare ? { prepare } : {}),
  });
}

async function firstAnswer(url: string, { session, cookie }: SessionAccess): Promise<void> {
  const response = await fetch(`${url}/api/sessions/${session}/messages`, {
    method: 'POST',
    headers: { cookie, 'content-type': 'application/json', prefer: `wait=${FIRST_ANSWER_WAIT_SECONDS}` },
    body: JSON.stringify({ id: 'first', text: 'What is there to say?' }),
  });
  await response.arrayBuffer();
  if (response.status !== 200) throw new LoadError('not_finished', `A first message got ${response.status}.`);
}

async function inTurn<T, R>(items: readonly T[], of: (item: T) => Promise<R>): Promise<R[]> {
  const results: R[] = [];
  for (const item of items) results.push(await of(item));
  return results;
}

/**
 * Thousands of connections that do nothing but send their heartbeats: do they hold, what memory does
 * each take beside a bare object, what does a further tab of the same session take, and is any
 * object woken by them?
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { PING_INTERVAL_MS, SILENCE_TIMEOUT_MS } from '../../src/protocol/limits.ts';
import type { Generators } from '../lab/generators.ts';
import { BARE_USERS, Lab } from '../lab/lab.ts';
import { startBareObject, type Started } from '../lab/servers.ts';
import { openFilesLimit, processorSeconds, residentBytes } from '../processes.ts';
import { LoadError, NOT_RUN, type Scenario, type ScenarioResult } from '../scenario.ts';
import {
  BARE,
  heldFigures,
  heldGates,
  memoryChart,
  tabFigures,
  tabGates,
  TAB_SESSIONS,
  TABS_EACH,
  wakingFigures,
  wakingGates,
  type Held,
  type Wakings,
} from '../connections/results.ts';
import { OWN } from '../peers/subjects.ts';

const STEPS = [1_000, 5_000, 10_000];
/** Objects leave memory after 10 s without anything to do. */
const QUIET_BEFORE_MS = 12_000;
const HOLD_SECONDS = 16;
/** Heartbeats are counted as a sum; within this time a client that hears nothing has also given up, and is counted by itself. */
const MIN_HOLD_SECONDS = (SILENCE_TIMEOUT_MS + PING_INTERVAL_MS) / 1_000;
const FULL_HOLD_SECONDS = 60;
const CONNECTS_AT_ONCE = 32;
/** Then those may leave memory before others come: awake, their objects have files open. */
const CONNECTS_IN_A_ROW = 1_000;
const FILES_PER_CONNECTION = 2;
/** An object's database, its log and their index. */
const FILES_PER_OBJECT = 3;
const SPARE_FILES = 1_000;
/**
 * Connected before the first look, and kept: what a runtime's heap grows by once is not counted for a connection. It
 * grows so with the first thousand or two that say anything: the steps beyond say what one takes.
 */
const BASE_USERS = 300;
const WATCHED_USERS = 200;
/** Pings go out by a clock: the first and the last of a stretch may fall outside of it. */
const SPARE_PINGS = 1;

export const connections: Scenario = {
  name: 'connections',
  summary: '1,000, 5,000 and 10,000 idle connections with heartbeats: do they hold, and what do they take?',
  run: (options) => Lab.run(options, runConnections),
};

async function runConnections(lab: Lab): Promise<ScenarioResult> {
  if (lab.options.url)
    throw new LoadError('usage', 'connections looks at the server’s process: it cannot be run against --url.');
  const wanted = lab.options.users === null ? STEPS : [lab.options.users];
  const steps = wanted.filter(fitsOpenFiles);
  if (steps.length === 0) throw new LoadError('usage', filesNote(wanted));
  const holdSeconds = lab.options.seconds ?? (lab.options.full ? FULL_HOLD_SECONDS : HOLD_SECONDS);
  if (holdSeconds < MIN_HOLD_SECONDS)
    throw new LoadError('usage', `connections needs --seconds ${MIN_HOLD_SECONDS} at least: less shows no silence.`);
  const holdMs = holdSeconds * 1_000;
  const model = await lab.model({ tokens: 20 });
  const servers: Subjects = {
    [BARE]: { module: BARE_USERS, start: () => lab.keep(startBareObject(model.url, { direct: true })) },
    [OWN]: { start: () => lab.switchboard(model) },
  };
  const bareHeld = await holdSteps(lab, { ...servers[BARE], name: BARE }, steps, holdMs);
  const ownHeld = await holdSteps(lab, { ...servers[OWN], name: OWN }, steps, holdMs);
  const tabs = {
    [BARE]: await furtherTabBytes(lab, servers[BARE]),
    [OWN]: await furtherTabBytes(lab, servers[OWN]),
  };
  const woken = await wakings(lab, model, holdMs);
  const left = wanted.filter((step) => !steps.includes(step));
  return {
    figures: [
      ...bareHeld.flatMap((held) => heldFigures(BARE, held)),
      ...ownHeld.flatMap((held, index) => heldFigures(OWN, held, bareHeld[index])),
      ...tabFigures(tabs),
      ...wakingFigures(woken),
    ],
    gates: [
      // Of memory only the largest step is judged: it has least of what a heap grows by once.
      ...ownHeld.flatMap((held, index) => heldGates(held, index === steps.length - 1 ? bareHeld[index] : undefined)),
      ...tabGates(tabs),
      ...wakingGates(woken),
    ],
    notes: [
      `Every connection has a session of its own and pings every ${PING_INTERVAL_MS / 1_000} s; each step is held for ${holdMs / 1_000} s after ${QUIET_BEFORE_MS / 1_000} s in which objects may leave memory.`,
      `Memory is the growth of the runtime’s resident set beyond the connections of the step before (${BASE_USERS} before the first), divided by those that came: what V8 and the allocator keep for later is in it, for both servers. Their heaps grow once with the first thousand or two that say anything, the bare object’s users say nothing: what one connection takes is seen in the larger steps.`,
      'A connection by itself takes the local runtime some 80 kB, whatever is behind it: so a further one, too, is held against the bare object’s.',
      'The bare object is set up as Switchboard’s local server is (“direct”): without the worker that Miniflare puts before any, and every connection would pass.',
      `A client that hears nothing for ${SILENCE_TIMEOUT_MS / 1_000} s gives its connection up: one whose heartbeats are not answered is among the reconnects, or not live.`,
      'Cloudflare bills no memory by the session; the figure says how much room one machine needs.',
      ...(left.length === 0 ? [] : [filesNote(left)]),
    ],
    charts: [memoryChart(bareHeld, ownHeld)],
  };
}

/** How a server is started, and who connects to it; without a module, Switchboard's users. */
interface Subject {
  module?: string;
  start: () => Promise<Started>;
}
type Subjects = Record<typeof BARE | typeof OWN, Subject>;

function filesNeeded(users: number): number {
  return users * FILES_PER_CONNECTION + CONNECTS_IN_A_ROW * FILES_PER_OBJECT + SPARE_FILES;
}

function fitsOpenFiles(users: number): boolean {
  return filesNeeded(users) <= (openFilesLimit() ?? Infinity);
}

function filesNote(steps: readonly number[]): string {
  const numbers = steps.map((step) => step.toLocaleString('en')).join(' and ');
  const limit = (openFilesLimit() ?? Infinity).toLocaleString('en');
  return `${NOT_RUN}: ${numbers} connections. A process may have ${limit} files open here (ulimit -n), and the local runtime takes ${FILES_PER_CONNECTION} for a connection and ${FILES_PER_OBJECT} more for an object that is awake.`;
}

/** Until every object that has nothing to do has left memory. */
function quiet(lab: Lab): Promise<void> {
  return sleep(QUIET_BEFORE_MS, undefined, { signal: lab.signal });
}

async function holdSteps(
  lab: Lab,
  { name, module, start }: Subject & { name: string },
  steps: readonly number[],
  holdMs: number,
): Promise<Held[]> {
  const server = await start();
  const users = Math.max(...steps);
  const generators = await lab.generators({
    url: server.url,
    users,
    messagesPerSecond: 0,
    options: { record: 0 },
    ...(module === undefined ? {} : { module }),
  });
  const base = Math.min(BASE_USERS, Math.floor(Math.min(...steps) / 2));
  lab.progress(`${name}: connecting the first ${base} users`);
  await generators.connect({ first: 0, end: base }, { atOnce: CONNECTS_AT_ONCE });
  await quiet(lab);
  let bytesBefore = bytesOf(server);
  const held: Held[] = [];
  let connected = base;
  for (const step of steps) {
    const connectedBefore = connected;
    let connectMs = 0;
    let bytesEach: number | null = null;
    while (connected < step) {
      const end = Math.min(step, connected + CONNECTS_IN_A_ROW);
      lab.progress(`${name}: connecting ${end} of ${step} users`);
      const startedAt = performance.now();
      await generators.connect({ first: connected, end }, { atOnce: CONNECTS_AT_ONCE });
      connectMs += performance.now() - startedAt;
      connected = end;
      bytesEach = share(bytesBefore, bytesOf(server), connected - connectedBefore);
      await quiet(lab);
    }
    const result = await hold(lab, server, generators, holdMs, `${name}: holding ${step} connections`);
    const bytesAfter = bytesOf(server);
    held.push({
      ...result,
      users: step,
      bytesEach,
      bytesEachQuiet: share(bytesBefore, bytesAfter, step - connectedBefore),
      connectSeconds: connectMs / 1_000,
    });
    bytesBefore = bytesAfter;
  }
  await lab.end(generators);
  await lab.end(server);
  return held;
}

async function hold(lab: Lab, server: Started, generators: Generators, holdMs: number, line: string) {
  lab.progress(line);
  const before = await generators.state();
  const processorBefore = server.pid === null ? null : processorSeconds(server.pid);
  const startedAt = performance.now();
  await sleep(holdMs, undefined, { signal: lab.signal });
  const after = await generators.state();
  const elapsedMs = performance.now() - startedAt;
  const processorAfter = server.pid === null ? null : processorSeconds(server.pid);
  const used = processorBefore === null || processorAfter === null ? null : processorAfter - processorBefore;
  return {
    live: after.live,
    reconnects: after.connects - after.users,
    pongs: after.pongs - before.pongs,
    pongsWanted: after.users * Math.max(0, Math.floor(elapsedMs / PING_INTERVAL_MS) - SPARE_PINGS),
    processorPercent: used === null ? null : (used / (elapsedMs / 1_000)) * 100,
  };
}

/** What every connection beyond a session's first adds to a fresh server, in bytes. */
async function furtherTabBytes(lab: Lab, { start, module }: Subject): Promise<number | null> {
  const server = await start();
  // One process: the tabs of a session have to find it.
  const generators = await lab.generators({
    url: server.url,
    users: TAB_SESSIONS * TABS_EACH,
    messagesPerSecond: 0,
    processes: 1,
    options: { record: 0, tabs: TABS_EACH },
    ...(module === undefined ? {} : { module }),
  });
  lab.progress(`${TAB_SESSIONS} sessions with a tab each`);
  // The first tab of each session, then all the others.
  for (let session = 0; session < TAB_SESSIONS; session += 1) {
    await generators.connect({ first: session * TABS_EACH, end: session * TABS_EACH + 1 });
  }
  await quiet(lab);
  const before = bytesOf(server);
  lab.progress(`${TAB_SESSIONS} sessions with ${TABS_EACH} tabs each`);
  for (let session = 0; session < TAB_SESSIONS; session += 1) {
    await generators.connect({ first: session * TABS_EACH + 1, end: (session + 1) * TABS_EACH });
  }
  await quiet(lab);
  const each = share(before, bytesOf(server), TAB_SESSIONS * (TABS_EACH - 1));
  await lab.end(generators);
  await lab.end(server);
  return each;
}

/** Whether heartbeats reach objects: the counting product says what its objects were asked for. */
async function wakings(lab: Lab, model: Started, holdMs: number): Promise<Wakings> {
  const server = await lab.switchboard(model, { counting: true });
  const users = Math.min(WATCHED_USERS, lab.options.users ?? WATCHED_USERS);
  const generators = await lab.generators({ url: server.url, users, messagesPerSecond: 0, options: { record: 0 } });
  await generators.connect({ first: 0, end: users });
  lab.progress(`${users} idle sessions: is any woken?`);
  await quiet(lab);
  const before = await server.counters();
  const { pongs, pongsWanted } = await hold(lab, server, generators, holdMs, `${users} idle sessions: is any woken?`);
  const after = await server.counters();
  await lab.end(generators);
  await lab.end(server);
  const counted = {
    frames: after.frames - before.frames,
    built: after.built - before.built,
    alarms: after.alarms - before.alarms,
    objectRequests: after.objectRequests - before.objectRequests,
  };
  return { users, pongs, pongsWanted, counted };
}

function bytesOf({ pid }: Started): number | null {
  return pid === null ? null : residentBytes(pid);
}

function share(before: number | null, after: number | null, users: number): number | null {
  return before === null || after === null ? null : (after - before) / users;
}

/**
 * Thousands of connections that do nothing but send their heartbeats: do they hold, what memory does
 * each take beside a bare object, what does a further tab of the same session take, and is any
 * object woken by them?
 */
import { fileURLToPath } from 'node:url';
import { setTimeout as sleep } from 'node:timers/promises';
import { PING_INTERVAL_MS } from '../../src/protocol/limits.ts';
import type { Generators } from '../lab/generators.ts';
import { Lab } from '../lab/lab.ts';
import { startBareObject, type Counters, type Started } from '../lab/servers.ts';
import { processorSeconds, residentBytes } from '../processes.ts';
import {
  atMost,
  LoadError,
  type Chart,
  type Figure,
  type Gate,
  type Scenario,
  type ScenarioResult,
} from '../scenario.ts';

const STEPS = [1_000, 5_000, 10_000];
/** Objects leave memory after 10 s without anything to do. */
const QUIET_BEFORE_MS = 12_000;
const HOLD_SECONDS = 12;
const FULL_HOLD_SECONDS = 60;
const CONNECTS_AT_ONCE = 32;
/** Connected and closed before the first look, so that what a runtime needs once is not counted for the first user. */
const WARM_UP_USERS = 50;
/** User numbers that no step reaches. */
const WARM_UP_FIRST = 100_000;
const TAB_SESSIONS = 20;
const TABS_EACH = 30;
const WATCHED_USERS = 200;
const MAX_ABOVE_BARE_KB = 32;
const MAX_FURTHER_TAB_KB = 12;
/** Pings go out by a clock: the first and the last of a stretch may fall outside of it. */
const SPARE_PINGS = 1;
const BARE_USERS = fileURLToPath(new URL('../generator/bare-users.ts', import.meta.url));
const BYTES_PER_KB = 1_000;

export const connections: Scenario = {
  name: 'connections',
  summary: '1,000, 5,000 and 10,000 idle connections with heartbeats: do they hold, and what do they take?',
  run: (options) => Lab.run(options, runConnections),
};

interface Held {
  users: number;
  live: number;
  /** Connections that were opened beyond one each. */
  reconnects: number;
  pongs: number;
  pongsWanted: number;
  /** Since before the first user, for each user; right after connecting, and after a quiet while. */
  bytesEach: number | null;
  bytesEachQuiet: number | null;
  processorPercent: number | null;
  connectSeconds: number;
}

async function runConnections(lab: Lab): Promise<ScenarioResult> {
  if (lab.options.url)
    throw new LoadError('usage', 'connections looks at the server’s process: it cannot be run against --url.');
  const steps = lab.options.users === null ? STEPS : [lab.options.users];
  const holdMs = (lab.options.seconds ?? (lab.options.full ? FULL_HOLD_SECONDS : HOLD_SECONDS)) * 1_000;
  const model = await lab.model({ tokens: 20 });
  const bare = await lab.keep(startBareObject(model.url));
  const bareHeld = await holdSteps(lab, bare, BARE_USERS, steps, holdMs, 'bare object');
  await lab.end(bare);
  const own = await lab.switchboard(model);
  const ownHeld = await holdSteps(lab, own, undefined, steps, holdMs, 'Switchboard');
  await lab.end(own);
  const furtherTab = await furtherTabBytes(lab, model);
  const woken = await wakings(lab, model, holdMs);
  return {
    figures: [
      ...bareHeld.flatMap((held) => heldFigures('bare object', held)),
      ...ownHeld.flatMap((held, index) => heldFigures('Switchboard', held, bareHeld[index])),
      tabFigure(furtherTab),
      ...wakingFigures(woken),
    ],
    gates: [
      ...ownHeld.flatMap((held, index) => heldGates(held, bareHeld[index])),
      ...tabGates(furtherTab),
      ...wakingGates(woken),
    ],
    notes: [
      `Every connection has a session of its own and pings every ${PING_INTERVAL_MS / 1_000} s; each step is held for ${holdMs / 1_000} s after ${QUIET_BEFORE_MS / 1_000} s in which objects may leave memory.`,
      'Memory is the growth of the runtime’s resident set since before the first user, divided by the users: what V8 and the allocator keep for later is in it, for both servers.',
      'Cloudflare bills no memory by the session; the figure says how much room one machine needs.',
    ],
    charts: [memoryChart(bareHeld, ownHeld)],
  };
}

async function holdSteps(
  lab: Lab,
  server: Started,
  module: string | undefined,
  steps: readonly number[],
  holdMs: number,
  name: string,
): Promise<Held[]> {
  const users = Math.max(...steps);
  const generators = await lab.generators({
    url: server.url,
    users,
    messagesPerSecond: 0,
    options: { record: 0 },
    ...(module === undefined ? {} : { module }),
  });
  const range = { first: WARM_UP_FIRST, end: WARM_UP_FIRST + WARM_UP_USERS };
  await generators.connect(range);
  await generators.close(range);
  await sleep(PING_INTERVAL_MS);
  const bytesBefore = bytesOf(server);
  const held: Held[] = [];
  let connected = 0;
  for (const step of steps) {
    lab.progress(`${name}: connecting ${step} users`);
    const startedAt = performance.now();
    await generators.connect({ first: connected, end: step }, { atOnce: CONNECTS_AT_ONCE });
    connected = step;
    const connectSeconds = (performance.now() - startedAt) / 1_000;
    const bytesEach = share(bytesBefore, bytesOf(server), step);
    lab.progress(`${name}: ${step} users are connected, now quiet`);
    await sleep(QUIET_BEFORE_MS);
    const result = await hold(lab, server, generators, holdMs, `${name}: holding ${step} connections`);
    held.push({
      ...result,
      users: step,
      bytesEach,
      bytesEachQuiet: share(bytesBefore, bytesOf(server), step),
      connectSeconds,
    });
  }
  await lab.end(generators);
  return held;
}

async function hold(lab: Lab, server: Started, generators: Generators, holdMs: number, line: string) {
  lab.progress(line);
  const before = await generators.state();
  const processorBefore = server.pid === null ? null : processorSeconds(server.pid);
  const startedAt = performance.now();
  await sleep(holdMs);
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

/** What every connection beyond a session's first adds to the server, in bytes. */
async function furtherTabBytes(lab: Lab, model: Started): Promise<number | null> {
  const server = await lab.switchboard(model);
  // One process: the tabs of a session have to find it.
  const generators = await lab.generators({
    url: server.url,
    users: TAB_SESSIONS * TABS_EACH,
    messagesPerSecond: 0,
    processes: 1,
    options: { record: 0, tabs: TABS_EACH },
  });
  lab.progress(`${TAB_SESSIONS} sessions with a tab each`);
  // The first tab of each session, then all the others.
  for (let session = 0; session < TAB_SESSIONS; session += 1) {
    await generators.connect({ first: session * TABS_EACH, end: session * TABS_EACH + 1 });
  }
  await sleep(QUIET_BEFORE_MS);
  const before = bytesOf(server);
  lab.progress(`${TAB_SESSIONS} sessions with ${TABS_EACH} tabs each`);
  for (let session = 0; session < TAB_SESSIONS; session += 1) {
    await generators.connect({ first: session * TABS_EACH + 1, end: (session + 1) * TABS_EACH });
  }
  await sleep(QUIET_BEFORE_MS);
  const each = share(before, bytesOf(server), TAB_SESSIONS * (TABS_EACH - 1));
  await lab.end(generators);
  await lab.end(server);
  return each;
}

interface Wakings {
  users: number;
  pongs: number;
  /** While the heartbeats went on. */
  counted: Pick<Counters, 'frames' | 'built' | 'alarms' | 'objectRequests'>;
}

/** Whether heartbeats reach objects: the counting product says what its objects were asked for. */
async function wakings(lab: Lab, model: Started, holdMs: number): Promise<Wakings> {
  const server = await lab.switchboard(model, { counting: true });
  const users = Math.min(WATCHED_USERS, lab.options.users ?? WATCHED_USERS);
  const generators = await lab.generators({ url: server.url, users, messagesPerSecond: 0, options: { record: 0 } });
  await generators.connect({ first: 0, end: users });
  lab.progress(`${users} idle sessions: is any woken?`);
  await sleep(QUIET_BEFORE_MS);
  const before = await server.counters();
  const { pongs } = await hold(lab, server, generators, holdMs, `${users} idle sessions: is any woken?`);
  const after = await server.counters();
  await lab.end(generators);
  await lab.end(server);
  const counted = {
    frames: after.frames - before.frames,
    built: after.built - before.built,
    alarms: after.alarms - before.alarms,
    objectRequests: after.objectRequests - before.objectRequests,
  };
  return { users, pongs, counted };
}

function bytesOf({ pid }: Started): number | null {
  return pid === null ? null : residentBytes(pid);
}

function share(before: number | null, after: number | null, users: number): number | null {
  return before === null || after === null ? null : (after - before) / users;
}

function heldFigures(subject: string, held: Held, bare?: Held): Figure[] {
  const group = `${held.users} idle connections`;
  const figure = (name: string, unit: string, value: number | null): Figure => ({ group, subject, name, unit, value });
  const kilobytes = (bytes: number | null): number | null => (bytes === null ? null : bytes / BYTES_PER_KB);
  return [
    figure('connected in', 's', held.connectSeconds),
    figure('live at the end', '', held.live),
    figure('stability', '%', (held.live / held.users) * 100),
    figure('reconnects', '', held.reconnects),
    figure('heartbeats answered', '', held.pongs),
    figure('memory each, right after connecting', 'kB', kilobytes(held.bytesEach)),
    figure('memory each, when quiet', 'kB', kilobytes(held.bytesEachQuiet)),
    figure('server busy', '% of a core', held.processorPercent),
    ...(bare ? [figure('memory each above the bare object', 'kB', kilobytes(aboveBare(held, bare)))] : []),
  ];
}

function aboveBare(held: Held, bare: Held): number | null {
  return held.bytesEachQuiet === null || bare.bytesEachQuiet === null
    ? null
    : held.bytesEachQuiet - bare.bytesEachQuiet;
}

function heldGates(held: Held, bare: Held | undefined): Gate[] {
  const { users } = held;
  const above = bare ? aboveBare(held, bare) : null;
  return [
    atMost(`${users} connections: not live at the end`, users - held.live, 0),
    atMost(`${users} connections: reconnects`, held.reconnects, 0),
    atMost(`${users} connections: heartbeats without an answer`, Math.max(0, held.pongsWanted - held.pongs), 0),
    ...(above === null
      ? []
      : [
          atMost(
            `${users} connections: memory each above the bare object, kB`,
            above / BYTES_PER_KB,
            MAX_ABOVE_BARE_KB,
          ),
        ]),
  ];
}

function tabFigure(bytes: number | null): Figure {
  const value = bytes === null ? null : bytes / BYTES_PER_KB;
  const group = `${TAB_SESSIONS} sessions, ${TABS_EACH} tabs each`;
  return { group, subject: 'Switchboard', name: 'memory of a further connection', unit: 'kB', value };
}

function tabGates(bytes: number | null): Gate[] {
  return bytes === null
    ? []
    : [atMost('memory of a further connection to a session, kB', bytes / BYTES_PER_KB, MAX_FURTHER_TAB_KB)];
}

function wakingFigures({ users, pongs, counted }: Wakings): Figure[] {
  const group = `${users} idle connections, counted`;
  const figure = (name: string, value: number): Figure => ({ group, subject: 'Switchboard', name, unit: '', value });
  return [
    figure('heartbeats answered', pongs),
    figure('frames that reached an object', counted.frames),
    figure('objects woken', counted.built),
    figure('alarms', counted.alarms),
  ];
}

function wakingGates({ counted }: Wakings): Gate[] {
  return [
    atMost('frames of idle connections that reached an object', counted.frames, 0),
    atMost('objects woken by idle connections', counted.built + counted.alarms + counted.objectRequests, 0),
  ];
}

function memoryChart(bare: readonly Held[], own: readonly Held[]): Chart {
  const line = (held: readonly Held[]): [number, number][] =>
    held.flatMap(({ users, bytesEachQuiet }): [number, number][] => {
      return bytesEachQuiet === null ? [] : [[users, bytesEachQuiet / BYTES_PER_KB]];
    });
  return {
    title: 'Memory of an idle connection with a session of its own',
    kind: 'lines',
    x: 'connections',
    y: 'kB each',
    series: [
      { name: 'Switchboard', points: line(own) },
      { name: 'bare object', points: line(bare) },
    ],
  };
}

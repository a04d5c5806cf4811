/** What idle connections came to: figures, gates and a chart. */
import type { Counters } from '../lab/servers.ts';
import { OWN } from '../peers/subjects.ts';
import { atLeast, atMost, type Chart, type Figure, type Gate } from '../scenario.ts';

export const TAB_SESSIONS = 60;
export const TABS_EACH = 60;
export const MAX_ABOVE_BARE_KB = 32;
export const MAX_FURTHER_TAB_KB = 12;
const BYTES_PER_KB = 1_000;

/** Connections and their heartbeats. */
export interface Heartbeats {
  users: number;
  pongs: number;
  pongsWanted: number;
}

export interface Held extends Heartbeats {
  live: number;
  /** Connections that were opened beyond one each. */
  reconnects: number;
  /** For each user beyond those of the step before; right after connecting, and after a quiet while. */
  bytesEach: number | null;
  bytesEachQuiet: number | null;
  processorPercent: number | null;
  connectSeconds: number;
}

export interface Wakings extends Heartbeats {
  /** While the heartbeats went on. */
  counted: Pick<Counters, 'frames' | 'built' | 'alarms' | 'objectRequests'>;
}

/** Let in past Miniflare's own worker, as Switchboard is. */
export const BARE = 'bare object, direct';

/** @param bare what the bare object takes, for Switchboard's figures */
export function heldFigures(subject: string, held: Held, bare?: Held): Figure[] {
  const group = `${held.users} idle connections`;
  const figure = (name: string, unit: string, value: number | null): Figure => ({ group, subject, name, unit, value });
  const kilobytes = (bytes: number | null): number | null => (bytes === null ? null : bytes / BYTES_PER_KB);
  return [
    figure('connected in', 's', held.connectSeconds),
    figure('live at the end', '', held.live),
    figure('stability', '%', (held.live / held.users) * 100),
    figure('reconnects', '', held.reconnects),
    figure('heartbeats answered', '', held.pongs),
    figure('heartbeats due', '', held.pongsWanted),
    figure('memory each, right after connecting', 'kB', kilobytes(held.bytesEach)),
    figure('memory each, when quiet', 'kB', kilobytes(held.bytesEachQuiet)),
    figure('server busy', '% of a core', held.processorPercent),
    ...(bare ? [figure(`memory each above the ${BARE}`, 'kB', kilobytes(aboveBare(held, bare)))] : []),
  ];
}

function aboveBare(held: Held, bare: Held): number | null {
  return difference(held.bytesEachQuiet, bare.bytesEachQuiet);
}

function difference(one: number | null, other: number | null): number | null {
  return one === null || other === null ? null : one - other;
}

/** @param bare what the bare object takes; without it memory is not judged */
export function heldGates(held: Held, bare?: Held): Gate[] {
  const { users } = held;
  return [
    atMost(`${users} connections: not live at the end`, users - held.live, 0),
    atMost(`${users} connections: reconnects`, held.reconnects, 0),
    heartbeatGate(`${users} connections: heartbeats answered`, held),
    ...(bare
      ? [
          atMost(
            `${users} connections: memory each above the ${BARE}, kB`,
            (aboveBare(held, bare) ?? Number.NaN) / BYTES_PER_KB,
            MAX_ABOVE_BARE_KB,
          ),
        ]
      : []),
  ];
}

/** However short the time: where fewer than one for each were wanted, nothing was asked, and nothing shown. */
function heartbeatGate(name: string, { users, pongs, pongsWanted }: Heartbeats): Gate {
  return atLeast(name, pongs, Math.max(users, pongsWanted));
}

/** Bytes of a further connection, by server; null where they are not known. */
export type TabBytes = Record<typeof OWN | typeof BARE, number | null>;

export function tabFigures(bytes: TabBytes): Figure[] {
  const group = `${TAB_SESSIONS} sessions, ${TABS_EACH} tabs each`;
  const figure = (subject: string, name: string, value: number | null): Figure => {
    return { group, subject, name, unit: 'kB', value: value === null ? null : value / BYTES_PER_KB };
  };
  return [
    ...([OWN, BARE] as const).map((subject) => figure(subject, 'memory of a further connection', bytes[subject])),
    figure(OWN, `that, above the ${BARE}`, difference(bytes[OWN], bytes[BARE])),
  ];
}

export function tabGates(bytes: TabBytes): Gate[] {
  const above = difference(bytes[OWN], bytes[BARE]) ?? Number.NaN;
  return [atMost(`memory of a further connection above the ${BARE}, kB`, above / BYTES_PER_KB, MAX_FURTHER_TAB_KB)];
}

export function wakingFigures({ users, pongs, pongsWanted, counted }: Wakings): Figure[] {
  const group = `${users} idle connections, counted`;
  const figure = (name: string, value: number): Figure => ({ group, subject: OWN, name, unit: '', value });
  return [
    figure('heartbeats answered', pongs),
    figure('heartbeats due', pongsWanted),
    figure('frames that reached an object', counted.frames),
    figure('objects woken', counted.built),
    figure('alarms', counted.alarms),
  ];
}

export function wakingGates({ counted, ...heartbeats }: Wakings): Gate[] {
  return [
    // Who sends nothing wakes nobody.
    heartbeatGate('heartbeats of idle connections answered', heartbeats),
    atMost('frames of idle connections that reached an object', counted.frames, 0),
    atMost('objects woken by idle connections', counted.built + counted.alarms + counted.objectRequests, 0),
  ];
}

export function memoryChart(bare: readonly Held[], own: readonly Held[]): Chart {
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
      { name: OWN, points: line(own) },
      { name: BARE, points: line(bare) },
    ],
  };
}

import type { FleetBot } from '../state/fleet.ts';
import type { Sort } from '../state/selection.ts';
import { count, duration, share, UNKNOWN } from '../state/words.ts';

export interface Column {
  sort: Sort;
  title: string;
  /** What it says before its value where there is no heading: on a phone. */
  label: string;
  isNumber: boolean;
  value: (bot: FleetBot) => string;
}

const RECENTLY = 'of the last 5 minutes; grey: of all its life';

/** State and name have cells of their own. */
export const COLUMNS: readonly (Column & { help?: string })[] = [
  { sort: 'model', title: 'Model', label: '', isNumber: false, value: ({ model }) => model },
  { sort: 'running', title: 'Running', label: 'runs', isNumber: true, value: runningOf, help: 'answers, and slots' },
  { sort: 'queued', title: 'Queue', label: 'waits', isNumber: true, value: ({ queued }) => known(queued) },
  {
    sort: 'connections',
    title: 'Conn.',
    label: 'conn.',
    isNumber: true,
    value: ({ connections }) => known(connections),
    help: 'connections',
  },
  {
    sort: 'errors',
    title: 'Errors',
    label: 'err.',
    isNumber: true,
    value: ({ errorShare }) => share(errorShare),
    help: `share of turns that failed, ${RECENTLY}`,
  },
  {
    sort: 'p95',
    title: 'First token',
    label: 'p95',
    isNumber: true,
    value: ({ p95FirstTokenMs }) => duration(p95FirstTokenMs),
    help: `95 of 100 answers began within this, ${RECENTLY}`,
  },
  {
    sort: 'uptime',
    title: 'Uptime',
    label: 'up',
    isNumber: true,
    value: ({ uptimeMs = 0 }) => (uptimeMs > 0 ? duration(uptimeMs) : UNKNOWN),
  },
];

function known(value: number | undefined): string {
  return value === undefined ? UNKNOWN : count(value);
}

function runningOf({ running, slots }: FleetBot): string {
  if (running === undefined) return UNKNOWN;
  return slots == null ? count(running) : `${count(running)} / ${count(slots)}`;
}

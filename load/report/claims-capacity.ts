/** What the reports say of single operations, of what fits into one server, and of one afternoon with it. */
import {
  atLeast,
  atMost,
  highestRate,
  leastShare,
  mostOf,
  of,
  ofLargest,
  OURS,
  type Claim,
  type Measure,
} from './claim.ts';
import { OWN } from '../peers/subjects.ts';
import type { Runs } from './runs.ts';

const KB_IN_MB = 0.001;

export const OPERATIONS = (
  [
    ['list bots', '< 100', 45, 'list bots'],
    ['bot status', '< 100', 52, 'bot status'],
    ['launch', '< 2,000', 850, 'launch'],
    ['stop', '< 1,000', 250, 'stop'],
    ['send message', '< 500', 120, 'send message'],
    ['load history', '< 100', 65, 'load history'],
    ['database query', '< 50', 15, 'database query'],
    ['WebSocket message', '< 50', 25, 'frame there and back'],
  ] as const
).map(([name, target, claim, figure]): Claim => ({
  section: 'Operations',
  name,
  unit: 'ms',
  target,
  claim: String(claim),
  limit: atMost(claim),
  measure: of('operations', { group: 'operations', subject: '10 bots', name: `${figure} p95` }),
  by: 'operations, 10 bots, p95',
}));

const capacity = (
  name: string,
  unit: string,
  [target, claim]: [string, string],
  limit: Claim['limit'],
  measure: Measure | null,
  by: string,
): Claim => ({ section: 'Capacity', name, unit, target, claim, limit, measure, by });

/** The most bots of which every message was answered while all talked at once. */
function botsAtOnce(runs: Runs): number | null {
  const group = 'bots talking at once';
  const sizes = runs.figures('operations', { group, name: 'messages sent' }).flatMap(({ subject, value }) => {
    const answered = runs.value('operations', { group, subject, name: 'messages answered' });
    return value !== null && value > 0 && answered === value ? [Number.parseInt(subject, 10)] : [];
  });
  return sizes.length === 0 ? null : Math.max(...sizes);
}

/** The most idle connections that were all live at the end. */
function connectionsHeld(runs: Runs): number | null {
  const stable = runs.figures('connections', { subject: OWN, name: 'live at the end' }).filter(({ group, value }) => {
    return value !== null && value === Number.parseInt(group, 10);
  });
  return stable.length === 0 ? null : Math.max(...stable.map(({ value }) => value ?? 0));
}

function leastStability(runs: Runs): number | null {
  const shares = runs.figures('connections', { subject: OWN, name: 'live at the end' }).flatMap(({ group, value }) => {
    return value === null ? [] : [(value / Number.parseInt(group, 10)) * 100];
  });
  return shares.length === 0 ? null : Math.min(...shares);
}

const connectionMemory = ofLargest('connections', { subject: OWN, name: 'memory each, when quiet' }, KB_IN_MB);

export const CAPACITY: readonly Claim[] = [
  capacity(
    'messages a second',
    '/s',
    ['2.0', '2.93'],
    atLeast(2.93),
    highestRate,
    'stress, highest rate held, fast model',
  ),
  capacity(
    'API calls a second',
    '/s',
    ['10', '15.2'],
    atLeast(15.2),
    of('operations', { group: 'the API', subject: '10 bots', name: 'calls/s' }),
    'operations, 10 bots',
  ),
  capacity('bots at once', '', ['3+', '5+ (20+ possible)'], atLeast(20), botsAtOnce, 'operations, all answered'),
  capacity('connections', '', ['50+', '100+ (to 1,000+)'], atLeast(1_000), connectionsHeld, 'connections, all live'),
  capacity(
    'memory of a bot',
    'MB',
    ['< 200', '125'],
    atMost(125),
    of('operations', { group: 'bots talking at once', subject: '20 bots', name: 'memory each' }),
    'operations, 20 bots talking',
  ),
  capacity(
    'processor when idle',
    '% of a core',
    ['< 10', '< 5'],
    atMost(5),
    of('operations', { group: 'the API', subject: '10 bots', name: 'server idle' }),
    'operations, 10 bots',
  ),
  capacity(
    'processor with 5 bots',
    '% of a core',
    ['< 30', '< 15'],
    atMost(15),
    of('operations', { group: 'bots talking at once', subject: '5 bots', name: 'server busy' }),
    'operations, 5 bots talking',
  ),
  capacity(
    'disk operations a second',
    '/s',
    ['< 50', '< 5'],
    atMost(5),
    null,
    'no scenario counts them; rows written per answer are under Price',
  ),
  capacity('uptime', '%', ['99.9', ''], atLeast(99.9), null, 'no run of this length can show it'),
];

const afternoon = (
  name: string,
  unit: string,
  [target, claim]: [string, string],
  limit: Claim['limit'],
  measure: Measure | null,
  by: string,
): Claim => ({ section: 'One afternoon', name, unit, target, claim, limit, measure, by });

const PAGE = 'a page with many messages';
const PAGE_MEMORY = 'memory of the page, after garbage collection';
const PAGE_PARTS = ['scripts', 'with the document'];

export const AFTERNOON: readonly Claim[] = [
  afternoon(
    'messages without an answer',
    '%',
    ['', '0 of 1,000'],
    atMost(0),
    of('peak', { subject: 'peak', name: 'not answered' }),
    'peak',
  ),
  afternoon('throughput', '/s', ['> 50', '87'], atLeast(87), highestRate, 'stress, highest rate held, fast model'),
  afternoon(
    'latency, average',
    'ms',
    ['', '234'],
    atMost(234),
    of('low', { name: 'answer average' }),
    'low: 10 users, 20 tokens at 10 ms',
  ),
  afternoon('latency, p50', 'ms', ['', '234'], atMost(234), of('low', { name: 'answer p50' }), 'low'),
  afternoon('latency, p95', 'ms', ['', '567'], atMost(567), of('low', { name: 'answer p95' }), 'low'),
  afternoon('latency, at most', 'ms', ['', '1,245'], atMost(1_245), of('low', { name: 'answer at most' }), 'low'),
  afternoon('latency, at least', 'ms', ['', '45'], null, null, 'the model’s own time, so nothing of the server’s'),
  afternoon(
    'connections that held',
    '%',
    ['> 99', '99.8'],
    atLeast(99.8),
    leastStability,
    'connections, the worst step',
  ),
  afternoon(
    'heartbeats answered',
    '%',
    ['', '1,200 of 1,200'],
    atLeast(100),
    leastShare('connections', { subject: OWN, name: 'heartbeats answered' }, 'heartbeats due'),
    'connections, the worst step',
  ),
  afternoon(
    'memory of a connection',
    'MB',
    ['< 10', '2.3'],
    atMost(2.3),
    connectionMemory,
    'connections, the largest step',
  ),
  afternoon(
    'message on screen, p95',
    'ms',
    ['< 100', '67'],
    atMost(67),
    of('render', { group: 'from a frame to the screen', subject: 'measured', name: 'message p95' }),
    'render',
  ),
  afternoon(
    'scrolling 100 messages',
    'frames/s',
    ['60', '59.8'],
    atLeast(59),
    of('render', { group: PAGE, subject: '100 messages', name: 'frames/s while scrolling' }),
    'render; one frame a second may be lost',
  ),
  afternoon(
    'scrolling 10,000 messages',
    'frames/s',
    ['', OURS],
    atLeast(59),
    of('render', { group: PAGE, subject: '10000 messages', name: 'frames/s while scrolling' }),
    'render',
  ),
  ...(
    [
      ['500 messages', 13],
      ['10 reconnects', 2],
    ] as const
  ).map(([after, claim]) =>
    afternoon(
      `page memory, ${after}`,
      'MB more',
      ['', String(claim)],
      atMost(claim),
      mostOf(...PAGE_PARTS.map((subject) => of('render', { group: PAGE_MEMORY, subject, name: after }))),
      'render, scripts by themselves or with the document, the worse',
    ),
  ),
];

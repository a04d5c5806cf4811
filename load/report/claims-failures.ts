/** What the reports say of failures. */
import { CLAIMED } from '../drills/memory.ts';
import { atLeast, atMost, of, type Claim } from './claim.ts';
import type { Wanted } from './runs.ts';

const failure = (
  drill: string,
  name: string,
  unit: string,
  claim: string,
  limit: Claim['limit'],
  wanted: Wanted | null,
  by?: string,
): Claim => ({
  section: `Failure: ${drill}`,
  name,
  unit,
  target: '',
  claim,
  limit,
  measure: wanted && of(drill, wanted),
  by: by ?? `drill ${drill}`,
});

const LOST_CONNECTIONS = 'lost connections';
const CHECKED = 'every message, checked';
const lost = (drill: string): Claim =>
  failure(drill, 'messages lost', '', '0', atMost(0), { group: CHECKED, name: 'messages lost' });
const doubled = (drill: string): Claim =>
  failure(drill, 'messages doubled', '', '0', atMost(0), { group: CHECKED, name: 'messages doubled' });

export const FAILURES: readonly Claim[] = [
  failure('crash', 'seen after, at most', 'ms', '< 2,000', atMost(2_000), {
    group: LOST_CONNECTIONS,
    name: 'seen by the client at most',
  }),
  failure('crash', 'recovered after, at most', 'ms', '< 5,000', atMost(5_000), {
    group: LOST_CONNECTIONS,
    name: 'fault to new acknowledgement at most',
  }),
  lost('crash'),
  doubled('crash'),
  failure('latency', 'answers that failed', '', '0 %', atMost(0), {
    group: 'the slow model',
    name: 'answers that failed',
  }),
  failure(
    'latency',
    'recovered after, at most',
    'ms',
    'at once',
    atMost(2_000),
    { group: 'the slow model', name: 'healed to new acknowledgement at most' },
    'drill latency; "at once" is taken as 2 s',
  ),
  lost('latency'),
  failure('memory', 'lived with 256 MB more', '1: yes', 'stable', atLeast(1), { subject: CLAIMED, name: 'lived' }),
  lost('memory'),
  failure(
    'drops',
    'seen after, at most',
    'ms',
    '< 2,000',
    atMost(2_000),
    { subject: 'reset', name: 'seen by the client at most' },
    'drill drops, connections that were reset',
  ),
  lost('drops'),
  doubled('drops'),
  failure(
    'llm-timeout',
    'user told after, at most',
    'ms',
    '5,000',
    atMost(5_000),
    { group: 'the model silent for some', subject: 'in the middle', name: 'silence to the user’s knowing at most' },
    'drill llm-timeout; the time limit itself is 5 s here',
  ),
  failure('llm-timeout', 'others’ answer p50, during over before', '', 'unaffected', atMost(1.25), {
    group: 'the model silent for some',
    subject: 'others',
    name: 'answer p50, during / before',
  }),
  ...['d1-down', 'slow-reader', 'reconnect-storm', 'upgrade'].map(lost),
];

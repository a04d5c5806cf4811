/** What the reports say of failures. */
import { CLAIMS, LOST_CONNECTIONS, OTHERS } from '../drills/figures.ts';
import { CLAIMED } from '../drills/memory.ts';
import { SILENT_FOR_SOME, TIMEOUT_MS } from '../drills/silent-model.ts';
import { CHECKED } from '../measure/figures.ts';
import { atLeast, atMost, leastShare, mostOfAll, of, OURS, type Claim } from './claim.ts';
import { exactText } from './numbers.ts';
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

/** @param claim what the reports say of it; most of them say nothing */
const lost = (drill: string, claim = OURS): Claim =>
  failure(drill, 'messages lost', '', claim, atMost(0), { group: CHECKED, name: 'messages lost' });
/** "Automatic", "by themselves": all of them. */
const backByThemselves = (drill: string): Claim =>
  failure(drill, 'users live again by themselves', '%', 'all', atLeast(100), {
    group: LOST_CONNECTIONS,
    name: 'of them live again by themselves',
  });
const inOrder = (drill: string): Claim => ({
  ...failure(drill, 'messages out of order or altered', '', 'consistent', atMost(0), null),
  measure: (runs) => {
    const counts = ['messages out of order', 'messages altered'].map((name) =>
      runs.value(drill, { group: CHECKED, name }),
    );
    return counts.reduce((sum, count) => (sum === null || count === null ? null : sum + count), 0);
  },
});
const doubled = (drill: string, claim = OURS): Claim =>
  failure(drill, 'messages doubled', '', claim, atMost(0), { group: CHECKED, name: 'messages doubled' });

export const FAILURES: readonly Claim[] = [
  failure('crash', 'seen after, at most', 'ms', `< ${exactText(CLAIMS.seenMs)}`, atMost(CLAIMS.seenMs), {
    group: LOST_CONNECTIONS,
    name: 'seen by the client at most',
  }),
  failure('crash', 'recovered after, at most', 'ms', `< ${exactText(CLAIMS.recoveredMs)}`, atMost(CLAIMS.recoveredMs), {
    group: LOST_CONNECTIONS,
    name: 'fault to new acknowledgement at most',
  }),
  backByThemselves('crash'),
  lost('crash', '0'),
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
    atMost(CLAIMS.atOnceMs),
    { group: 'the slow model', name: 'healed to first token at most' },
    `drill latency, to the next first token; "at once" is taken as ${CLAIMS.atOnceMs / 1_000} s`,
  ),
  lost('latency'),
  failure('memory', 'lived with 256 MB more', '1: yes', 'stable', atLeast(1), { subject: CLAIMED, name: 'lived' }),
  lost('memory'),
  ...(
    [
      ['reset', 'connections that were reset'],
      ['silent', 'connections that only fell silent: a ping without an answer shows it, within 10 s'],
    ] as const
  ).map(([subject, what]) =>
    failure(
      'drops',
      `${subject}: seen after, at most`,
      'ms',
      `< ${exactText(CLAIMS.seenMs)}`,
      atMost(CLAIMS.seenMs),
      { subject, name: 'seen by the client at most' },
      `drill drops, ${what}`,
    ),
  ),
  backByThemselves('drops'),
  lost('drops', 'consistent'),
  doubled('drops', 'consistent'),
  inOrder('drops'),
  {
    ...failure(
      'llm-timeout',
      'user told after, at most',
      'ms',
      exactText(CLAIMS.toldMs),
      atMost(CLAIMS.toldMs),
      null,
      `drill llm-timeout, silent before the first token or in the middle, the worse; its deadlines are set to ${TIMEOUT_MS / 1_000} s, what is above that is ours`,
    ),
    measure: mostOfAll('llm-timeout', {
      group: SILENT_FOR_SOME,
      name: 'silence to the user’s knowing at most',
    }),
  },
  {
    ...failure('llm-timeout', 'users told that it failed', '%', 'clear error', atLeast(100), null),
    measure: leastShare('llm-timeout', { group: SILENT_FOR_SOME, name: 'told that it failed' }, 'asked'),
  },
  failure('llm-timeout', 'others’ answer p50, during over before', '', 'unaffected', atMost(OTHERS.p50), {
    group: SILENT_FOR_SOME,
    subject: 'others',
    name: 'answer p50, during / before',
  }),
  ...['d1-down', 'slow-reader', 'reconnect-storm', 'upgrade'].map((drill) => lost(drill)),
];

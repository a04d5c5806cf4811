/**
 * This machine beside the one that the bounds in absolute numbers were taken on. The same servers were measured on both:
 * how many answers a second they gave there says what such a bound means here.
 */
import { groupOf } from '../peers/results.ts';
import { AI_CHAT, BARE_EACH, BARE_WHOLE, OWN, PLAIN, type Subject } from '../peers/subjects.ts';
import { numberText } from './numbers.ts';
import type { Runs } from './runs.ts';
import type { Section } from './section.ts';

interface There {
  subject: Subject;
  tokens: number;
  answersPerSecond: number;
}

/** 100 connections at saturation, medians. Here they are finished answers/s, which count what the server needs afterwards. */
const THERE: readonly There[] = [
  { subject: BARE_WHOLE, tokens: 20, answersPerSecond: 3_341 },
  { subject: BARE_EACH, tokens: 20, answersPerSecond: 1_016 },
  { subject: PLAIN, tokens: 20, answersPerSecond: 2_490 },
  { subject: AI_CHAT, tokens: 20, answersPerSecond: 50 },
  { subject: BARE_WHOLE, tokens: 200, answersPerSecond: 849 },
  { subject: BARE_EACH, tokens: 200, answersPerSecond: 112 },
  { subject: PLAIN, tokens: 200, answersPerSecond: 506 },
  { subject: AI_CHAT, tokens: 200, answersPerSecond: 10 },
];

/** Empty where no such server was measured here. */
export function otherMachineSection(runs: Runs): Section[] {
  const rateOf = (subject: Subject, tokens: number): number | null =>
    runs.value('peers', { group: groupOf(tokens), subject, name: 'finished answers/s' });
  const rows = THERE.flatMap(({ subject, tokens, answersPerSecond }) => {
    const here = rateOf(subject, tokens);
    if (here === null) return [];
    const own = rateOf(OWN, tokens);
    const speed = here / answersPerSecond;
    const cells = [answersPerSecond, here, speed, own, own === null || speed === 0 ? null : own / speed];
    return [[`${subject}, ${tokens} tokens`, ...cells.map(numberText)]];
  });
  if (rows.length === 0) return [];
  return [
    {
      title: 'Another machine',
      sentences: [
        'Bounds in answers or seconds were taken on another machine, where the same servers gave so many answers a second. A bound in ratios needs none of this. Here the seconds are counted in which the server still worked afterwards. The last column is what Switchboard would give there if it gained what that server does: reckoned, not measured, and held against nothing.',
      ],
      tables: [
        {
          columns: ['', 'answers/s there', 'here', 'speed of this machine', 'Switchboard here', 'Switchboard there'],
          rows,
        },
      ],
      charts: [],
    },
  ];
}

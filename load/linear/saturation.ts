/**
 * Answers a second of few and of many sessions, whose users ask as fast as they are answered. At a given rate a server
 * that can do far more gives as many answers however many sessions there are.
 */
import { Timings } from '../driver.ts';
import type { Lab } from '../lab/lab.ts';
import { figuresOfRounds, runRound, type Round } from '../round.ts';
import { atLeast, type Figure, type ScenarioResult } from '../scenario.ts';
import { median } from '../statistics.ts';
import { roundsGates, SwitchboardTarget } from '../targets.ts';

/** The group of its figures. */
export const AT_SATURATION = 'answers at saturation, by the number of sessions';
export const OF_SMALLEST = 'finished answers/s, of the smallest’s';

export interface SaturationPlan {
  /** Numbers of sessions, the smallest first. */
  sizes: readonly number[];
  tokens: number;
  rounds: number;
  windowMs: number;
  /** The least that more sessions may answer, of what the smallest number of them does. */
  minRatio: number;
}

export async function measureSaturation(
  lab: Lab,
  { sizes, tokens, rounds, windowMs, minRatio }: SaturationPlan,
): Promise<ScenarioResult> {
  const model = await lab.model({ tokens, tokenMs: 0, tokensPerWrite: 0 });
  const server = await lab.switchboard(model);
  const target = await SwitchboardTarget.of(server, model, lab.signal);
  const courses = new Map(sizes.map((size): [number, Round[]] => [size, []]));
  // The first round compiles code, and is not counted.
  for (let round = 0; round <= rounds; round += 1) {
    for (const [users, course] of courses) {
      lab.progress(`${users} sessions at saturation, ${round === 0 ? 'warming up' : `round ${round} of ${rounds}`}`);
      const done = await runRound(target, new Timings(), { round, users, windowMs, signal: lab.signal });
      if (round > 0) course.push(done);
    }
  }
  const stored = target.takeStored();
  await lab.end(server);
  await lab.end(model);
  const [smallest = []] = courses.values();
  const ratioOf = (course: readonly Round[]): number =>
    median(
      course.map(({ finishedPerSecond }, index) => finishedPerSecond / (smallest[index]?.finishedPerSecond ?? NaN)),
    );
  return {
    figures: [...courses].flatMap(([size, course]) => [
      ...courseFigures(`${size} sessions`, course),
      {
        group: AT_SATURATION,
        subject: `${size} sessions`,
        name: OF_SMALLEST,
        unit: '',
        value: ratioOf(course),
      },
    ]),
    gates: [
      ...[...courses].slice(1).map(([size, course]) => {
        return atLeast(
          `${size} sessions against ${sizes[0] ?? 0}: answers/s at saturation, ratio`,
          ratioOf(course),
          minRatio,
        );
      }),
      ...roundsGates('sessions at saturation', [...courses.values()].flat(), stored),
    ],
    notes: [
      `At saturation: ${rounds} rounds of ${(windowMs / 1_000).toFixed(1)} s each, in turn, with fresh sessions whose first turn is not measured. Finished answers/s counts all replies, over the window and the processor time that the server needed afterwards.`,
    ],
  };
}

function courseFigures(subject: string, course: readonly Round[]): Figure[] {
  const figure = figuresOfRounds(AT_SATURATION, subject, course);
  return [
    figure('finished answers/s', '', (round) => round.finishedPerSecond),
    figure('server processor per answer', 'ms', (round) => round.serverMs),
    figure('server busy in the window', '% of a core', (round) => round.serverLoad && round.serverLoad * 100),
    figure('turns of the longest conversation', '', (round) => round.longestConversation),
  ];
}

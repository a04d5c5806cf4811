/** The model's network becomes slow: everything that it says arrives half a second later. */
import { monotonicMs } from '../clock.ts';
import type { Drill, DrillRun, Stage } from './drill.ts';
import { atMost, atLeast } from '../scenario.ts';
import { answeredGate, CLAIMS, figuresOf, lostGate, spread } from './figures.ts';
import { ratio, recovery, timesByPhase, type Wound } from './outcome.ts';

const ADDED_MS = 500;
/** An acknowledgement has nothing to do with the model: it may not wait for it. */
const MAX_ACKNOWLEDGED_LATER_MS = 100;
/** Less than this, and nothing was slow: a little may be missing where the machine stuttered before. */
const MIN_ADDED_MS = 0.8 * ADDED_MS;
/** Connections to the model that are not there yet pay it once more. */
const MAX_ADDED_MS = 2 * ADDED_MS;
/** When the model is itself again, so is the server. */
const MAX_AFTER_RATIO = 1.25;

export const latency = (): Drill => ({
  name: 'latency',
  summary: `everything from the model arrives ${ADDED_MS} ms later`,
  users: 50,
  messagesPerMinute: 1_200,
  seconds: { before: 8, fault: 10, after: 8 },
  back: true,
  fault: slowDown,
  judge: (run) => {
    const { before, during, after } = timesByPhase(run.columns, run.span);
    const back = recovery(run.columns, run.wounds, [], () => true);
    const laterMs = (of: 'firstToken' | 'acknowledged'): number => {
      return (during[of].percentile(50) ?? Number.NaN) - (before[of].percentile(50) ?? Number.NaN);
    };
    const added = laterMs('firstToken');
    const figure = figuresOf('the slow model');
    return {
      figures: [
        figure('first token later than before, p50', 'ms', added),
        figure('answers that failed', '', failedCount(run)),
        ...spread(figure, 'healed to first token', back.firstTokenHealed),
      ],
      gates: [
        answeredGate(run),
        atLeast('first token p50 later than before, at least, ms', added, MIN_ADDED_MS),
        atMost('first token p50 later than before, ms', added, MAX_ADDED_MS),
        atMost('acknowledged p50 later than before, ms', laterMs('acknowledged'), MAX_ACKNOWLEDGED_LATER_MS),
        atMost('answer p50, after over before', ratio(after.answer, before.answer, 50), MAX_AFTER_RATIO),
        atMost('healed to the next first token at most, ms', back.firstTokenHealed.max, CLAIMS.atOnceMs),
        lostGate(run),
      ],
      notes: ['Nothing has to be detected: a slow model is no failure, and its bot stays as it is.'],
    };
  },
});

async function slowDown(stage: Stage): Promise<Wound[]> {
  const at = monotonicMs();
  stage.back?.set({ latencyMs: ADDED_MS }, 'down');
  await stage.wait(stage.faultMs);
  await stage.back?.heal();
  return [{ name: `+${ADDED_MS} ms`, at, healedAt: monotonicMs() }];
}

function failedCount({ columns }: DrillRun): number {
  return columns.failedAt.filter((at) => !Number.isNaN(at)).length;
}

/** Waiting for what may never answer; of D1, also how long after it has failed. */
import type { SessionPorts } from './ports.ts';

/** D1 gives a batch up after 30 s. A call that is never answered at all must not end the work for good: it is made again. */
export const D1_CALL_TIMEOUT_MS = 40_000;
/** Why a call to D1 is given up that neither answers nor fails, in the words of D1's own time limit. */
export const D1_SILENT = 'D1_TIMEOUT: no answer came';

/** Waiting after failures: doubling from the first to the last. */
const D1_RETRY_FIRST_MS = 500;
const D1_RETRY_LAST_MS = 60_000;

/**
 * What comes of `work`, waiting `ms` for it. It is not ended when it is late: what comes of it then is ignored.
 * @throws what `work` throws; an Error saying `late`
 */
export function inTime<T>(
  timers: Pick<SessionPorts<unknown>, 'setTimer'>,
  work: Promise<T>,
  ms: number,
  late: string,
): Promise<T> {
  return new Promise((resolve, reject) => {
    const cancel = timers.setTimer(() => reject(new Error(late)), ms);
    work.then(resolve, reject).finally(cancel);
  });
}

/** How long to wait after D1 has failed, in ms. `failures`: those in a row before this one. */
export function d1RetryMs(failures: number): number {
  return Math.min(D1_RETRY_LAST_MS, D1_RETRY_FIRST_MS * 2 ** failures);
}

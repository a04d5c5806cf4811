import type { SessionPorts } from './ports.ts';

/** Why a call to D1 is given up that neither answers nor fails, in the words of D1's own time limit. */
export const D1_SILENT = 'D1_TIMEOUT: no answer came';

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

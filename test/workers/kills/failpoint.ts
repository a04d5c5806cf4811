/** Whether this process ends here. */
import { FAILPOINTS, REACHED, type Failpoint } from '../../kills/failpoints.ts';

let armed: Failpoint | undefined;
let passagesLeft = 0;

/** `setting` as in `reply.written:3`; null, as where the variable is not set, arms nothing. */
export function arm(setting: string | null): void {
  if (setting === null || armed !== undefined) return;
  const [name, passage] = setting.split(':');
  armed = FAILPOINTS.find((known) => known === name);
  passagesLeft = Number(passage);
}

export function isArmed(name: Failpoint): boolean {
  return armed === name;
}

/** Passes by, or says so and stands still until the process is killed: nothing after this line happens. */
export function reach(name: Failpoint): void {
  if (!isArmed(name)) return;
  passagesLeft -= 1;
  if (passagesLeft !== 0) return;
  console.log(`${REACHED}${name}`);
  for (;;) {
    // Synchronous on purpose: no commit, no frame and no timer gets a turn any more.
  }
}

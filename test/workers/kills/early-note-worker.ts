/** Planted bug: the object notes that D1 has its records before D1 has them. */
import { ChatSession as Shipped } from '../../../src/worker.ts';
import type { Bindings } from '../../../src/env.ts';

export { Bot, HistoryWriter, default } from '../../../src/worker.ts';

/** Longer than most lives last: a delivery that has begun is mostly cut off. */
const LATE_MS = 1_000;

export class ChatSession extends Shipped {
  constructor(ctx: DurableObjectState, env: Bindings) {
    const { HISTORY } = env;
    const late: Bindings['HISTORY'] = {
      getByName: (name) => ({
        async write(session, records) {
          ctx.storage.sql.exec('UPDATE session SET delivered = (SELECT max(seq) FROM log)');
          await new Promise((resolve) => setTimeout(resolve, LATE_MS));
          await HISTORY.getByName(name).write(session, records);
        },
      }),
    };
    super(ctx, { ...env, HISTORY: late });
  }
}

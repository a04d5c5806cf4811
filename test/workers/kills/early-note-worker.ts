/** Planted bug: the object notes that D1 has its records before D1 has them. */
import { ChatSession as Shipped } from '../../../src/worker.ts';
import type { Bindings } from '../../../src/env.ts';

export { Bot, default } from '../../../src/worker.ts';

const LATE_MS = 150;

export class ChatSession extends Shipped {
  constructor(ctx: DurableObjectState, env: Bindings) {
    const { DB } = env;
    const late: Pick<D1Database, 'prepare' | 'batch'> = {
      prepare: (query) => DB.prepare(query),
      async batch(statements) {
        ctx.storage.sql.exec('UPDATE session SET delivered = (SELECT max(seq) FROM log)');
        await new Promise((resolve) => setTimeout(resolve, LATE_MS));
        return DB.batch(statements);
      },
    };
    super(ctx, { ...env, DB: Object.assign(Object.create(DB), late) });
  }
}

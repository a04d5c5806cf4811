/** Planted bug: the alarm that is due is set anew at the start, and a turn that was cut off waits for it. */
import { ChatSession as Shipped } from './failing-worker.ts';
import type { Bindings } from '../../../src/env.ts';

export { Bot, HistoryWriter, default } from '../../../src/worker.ts';

const LATE_MS = 1_000;

export class ChatSession extends Shipped {
  constructor(ctx: DurableObjectState, env: Bindings) {
    super(ctx, env);
    void ctx.storage.setAlarm(Date.now() + LATE_MS);
  }
}

/** Planted bug: nobody looks after what a crash left, unless somebody asks. */
import { ChatSession as Failing } from './failing-worker.ts';

export { Bot, HistoryWriter, default } from './failing-worker.ts';

export class ChatSession extends Failing {
  constructor(ctx: DurableObjectState, env: ConstructorParameters<typeof Failing>[1]) {
    // Never set: an object that nobody asks is not built again.
    Object.defineProperty(ctx.storage, 'setAlarm', { value: () => Promise.resolve(), configurable: true });
    super(ctx, env);
  }
}

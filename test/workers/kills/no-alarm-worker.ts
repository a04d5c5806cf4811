/** Planted bug: nobody looks after what a crash left, unless somebody asks. */
import { ChatSession as Shipped } from '../../../src/worker.ts';

export { Bot, HistoryWriter, default } from '../../../src/worker.ts';

export class ChatSession extends Shipped {
  override async alarm(): Promise<void> {
    // Never comes, as if it had not been set.
  }
}

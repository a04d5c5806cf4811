/** The code after the next deployment: see `leaving-worker.ts`. */
import { createHandler } from './leaving-worker.ts';

export { Bot, ChatSession, HistoryWriter } from './leaving-worker.ts';

export default createHandler('next');

/** What a scenario asks of the model's process. */
import * as z from 'zod/mini';
import { nothing, numbers } from '../lab/rpc.ts';

/** One row a generation: which message asked for it, and when it came, began and ended on the machine's clock. */
export const generations = z.object({ key: numbers, receivedAt: numbers, firstAt: numbers, endAt: numbers });
export type Generations = z.infer<typeof generations>;

export const MODEL_CALLS = {
  where: { params: nothing, result: z.object({ url: z.string() }) },
  /** The generations that ended since this was asked last; fails where there were too many to keep. */
  take: { params: nothing, result: z.object({ generations }) },
} as const;

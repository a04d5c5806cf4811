/** What the comparison asks of the plain Node server's process. */
import * as z from 'zod/mini';
import { nothing } from '../../lab/rpc.ts';

export const PLAIN_CALLS = {
  where: { params: nothing, result: z.object({ url: z.string() }) },
} as const;

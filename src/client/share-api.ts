/** Links that show a conversation to who has them: made, listed and taken back by its owner, read by anybody. */
import * as z from 'zod/mini';
import { botRef, timestampMs, title } from '../protocol/values.ts';
import { messagesPage } from './api-shapes.ts';
import { ApiError, createCaller, sessionPath, type ApiOptions } from './http.ts';

/** `url` is told when the link is made, and never again where only its digest is kept. */
const share = z.object({
  id: z.string(),
  url: z.exactOptional(z.nullable(z.string())),
  createdAt: z.exactOptional(timestampMs),
  expiresAt: timestampMs,
});
export type Share = z.infer<typeof share>;

const madeShare = z.object({ id: z.string(), url: z.string(), expiresAt: timestampMs });
export type MadeShare = z.infer<typeof madeShare>;

const shareList = z.object({ shares: z.array(share) });

const sharedPage = z.extend(messagesPage, { title, bot: botRef, expiresAt: timestampMs });
/** A page of a shared conversation, newest first; `nextCursor` is the next `before`. */
export type SharedPage = z.infer<typeof sharedPage>;

/** Every call rejects with an `ApiError`. */
export interface ShareApi {
  make(session: string, expiresInHours: number): Promise<MadeShare>;
  list(session: string): Promise<Share[]>;
  revoke(session: string, id: string): Promise<void>;
  read(token: string, page?: { before?: number; limit?: number }): Promise<SharedPage>;
}

export function createShareApi(options: ApiOptions = {}): ShareApi {
  const { ask, tell } = createCaller(options);
  const path = (session: string): string => `${sessionPath(session)}/share`;
  return {
    make: (session, expiresInHours) => ask(path(session), madeShare, { method: 'POST', body: { expiresInHours } }),
    list: async (session) => (await ask(path(session), shareList)).shares,
    async revoke(session, id) {
      try {
        await tell(`${path(session)}/${encodeURIComponent(id)}`, { method: 'DELETE' });
      } catch (error) {
        // It is over already, by its time or by another tab: that is what was wanted.
        if (!(error instanceof ApiError && error.code === 'not_found')) throw error;
      }
    },
    read: (token, page = {}) => ask(`/api/shared/${encodeURIComponent(token)}`, sharedPage, { query: { ...page } }),
  };
}

/** The HTTP API as the page uses it. */
import type { ApiBot } from '../client/api-shapes.ts';
import { ApiError, createApi } from '../client/http.ts';
import type { Message } from '../protocol/transcript.ts';
import type { Api, BotInfo } from './state/ports.ts';

const SESSIONS_PER_PAGE = 50;
/** As many as a page begins with: each load lays the whole conversation out anew. */
const OLDER_MESSAGES_PER_PAGE = 100;
const BOTS_PER_PAGE = 100;

export function pageApi(): Api {
  const http = createApi();
  return {
    async bots(cursor) {
      const page = cursor === null ? {} : { cursor };
      const { bots, nextCursor, source } = await http.listBots({ ...page, limit: BOTS_PER_PAGE });
      return { bots: bots.map(infoOf), nextCursor, simulator: source?.kind === 'simulator' };
    },
    bot: async (id) => infoOf(await http.bot(id)),
    async botHealth(id) {
      const { name, model, state, because, running, queued } = await http.botStatus(id);
      return { name, model, state, because: because ?? '', running: running ?? null, queued: queued ?? null };
    },
    async sessions(query) {
      const { sessions, nextCursor } = await http.listSessions({ ...query, limit: SESSIONS_PER_PAGE });
      return { sessions: sessions.map((session) => ({ ...session, bot: session.botRef })), nextCursor };
    },
    async createSession(settings) {
      const { id, title, botRef, createdAt } = await http.createSession(settings);
      return { id, title, bot: botRef, archived: false, lastAt: createdAt };
    },
    updateSession: (id, patch) => http.patchSession(id, patch),
    async deleteSession(id) {
      try {
        await http.deleteSession(id);
      } catch (error) {
        // It is gone already, by another tab or an earlier try: that is what was wanted.
        if (!(error instanceof ApiError && error.code === 'session_not_found')) throw error;
      }
    },
    async search({ text, cursor }, signal) {
      const query = { q: text, ...(cursor === undefined ? {} : { cursor }) };
      const { hits, nextCursor } = await http.search(query, signal);
      return {
        hits: hits.map(({ session, message, excerpt, before, after }) => {
          const { seq, role, at } = message;
          return { session, seq, role, at, excerpt, before, after };
        }),
        nextCursor,
      };
    },
  };
}

function infoOf({ id, name, model, state, available }: ApiBot): BotInfo {
  return { id, name, model, state, available: available ?? null };
}

/** A page of older messages, for the session's client. */
export async function olderMessages(
  session: string,
  before: number,
): Promise<{ messages: Message[]; nextBefore: number | null }> {
  const page = await createApi().messagesPage(session, { before, limit: OLDER_MESSAGES_PER_PAGE });
  return { messages: page.messages, nextBefore: page.nextCursor };
}

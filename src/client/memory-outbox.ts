/** An outbox that lives as long as the process: for load scripts, tests, and browsers that refuse storage. */
import type { OutboxStore, Pending } from './types.ts';

export function memoryOutbox(): OutboxStore {
  const sessions = new Map<string, Map<string, Pending>>();
  return {
    load: (session) => Promise.resolve([...(sessions.get(session)?.values() ?? [])]),
    put(session, message) {
      const messages = sessions.get(session) ?? new Map<string, Pending>();
      sessions.set(session, messages.set(message.id, message));
      return Promise.resolve();
    },
    remove(session, id) {
      const messages = sessions.get(session);
      messages?.delete(id);
      if (messages?.size === 0) sessions.delete(session);
      return Promise.resolve();
    },
    clear(session) {
      sessions.delete(session);
      return Promise.resolve();
    },
  };
}

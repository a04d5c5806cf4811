/** What is said about the connection: nothing while all is well, else what happens next. */
import type { SessionView } from '../../client/types.ts';

interface ConnectionNote {
  state: 'connecting' | 'live' | 'waiting' | 'offline' | 'closed';
  text: string;
  action: 'retry' | 'reload' | null;
}

const MS_PER_SECOND = 1_000;

export function connectionNote(
  view: Pick<SessionView, 'connection' | 'retryAt' | 'lastError'>,
  online: boolean,
  nowMs: number,
): ConnectionNote {
  if (view.connection === 'live') return { state: 'live', text: '', action: null };
  if (view.connection === 'closed') return closedNote(view.lastError);
  // A browser may be wrong about being online, never about being offline.
  if (!online) return { state: 'offline', text: 'Offline: what you write is kept and sent later', action: null };
  if (view.connection === 'connecting') return { state: 'connecting', text: 'Connecting…', action: null };
  const seconds = Math.max(0, Math.ceil(((view.retryAt ?? nowMs) - nowMs) / MS_PER_SECOND));
  return {
    state: 'waiting',
    text: seconds === 0 ? 'Reconnecting…' : `Reconnecting in ${seconds} s`,
    action: 'retry',
  };
}

function closedNote(error: SessionView['lastError']): ConnectionNote {
  const text = error?.message ?? 'Disconnected';
  if (error?.code === 'protocol_version') {
    return { state: 'closed', text: 'This page is older than the server', action: 'reload' };
  }
  if (error?.code === 'unauthorized') {
    return { state: 'closed', text: 'Your login has ended. What you wrote is kept', action: 'reload' };
  }
  return { state: 'closed', text, action: 'retry' };
}

/** Whether the chat does not exist, or not for this person. */
export function isMissing(view: Pick<SessionView, 'connection' | 'lastError'> | null): boolean {
  return view?.connection === 'closed' && view.lastError?.code === 'session_not_found';
}

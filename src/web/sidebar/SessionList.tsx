import { useApp } from '../state/context.ts';
import { SessionItem } from './SessionItem.tsx';

export function SessionList() {
  const { sessions } = useApp();
  const { list, state, hasMore, archived } = sessions;
  return (
    <div class="scroll-list" aria-busy={state.value === 'loading'}>
      {list.value.length === 0 ? <p class="list-note">{emptyNote(state.value, archived.value)}</p> : null}
      {state.value === 'failed' ? (
        <button type="button" class="quiet wide" onClick={() => void sessions.load()}>
          Try again
        </button>
      ) : null}
      <ul class="plain-list" data-testid="session-list">
        {list.value.map((session) => (
          <SessionItem key={session.id} session={session} />
        ))}
      </ul>
      {hasMore.value ? (
        <button type="button" class="quiet wide" onClick={() => void sessions.loadMore()}>
          Show older chats
        </button>
      ) : null}
      <button type="button" class="quiet wide list-switch" onClick={() => void sessions.showArchived(!archived.value)}>
        {archived.value ? '← Back to chats' : 'Archived chats'}
      </button>
    </div>
  );
}

function emptyNote(state: string, archived: boolean): string {
  if (state === 'loading' || state === 'idle') return 'Loading…';
  if (state === 'failed') return 'The list could not be loaded.';
  return archived ? 'Nothing is archived.' : 'Your chats appear here.';
}

import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { connectionNote } from '../state/connection.ts';
import { useApp } from '../state/context.ts';

const TICK_MS = 250;

export function ConnectionState() {
  const { chat, online } = useApp();
  const now = useSignal(Date.now());
  const view = chat.view.value;
  const counting = view?.connection === 'waiting';
  useEffect(() => {
    if (!counting) return;
    now.value = Date.now();
    const timer = setInterval(() => (now.value = Date.now()), TICK_MS);
    return () => clearInterval(timer);
  }, [counting]);

  if (view === null) return online.value ? null : <OfflineNote />;
  const { state, text, action } = connectionNote(view, online.value, now.value);
  return (
    <div class="connection" data-testid="connection" data-state={state}>
      <span class="dot" title={state === 'live' ? 'Connected' : undefined} aria-hidden="true" />
      {/* The countdown is not announced: only what kind of state it is. */}
      <span class="offscreen" role="status">
        {state === 'live' ? 'Connected' : state === 'waiting' ? 'Connection lost' : text}
      </span>
      {text === '' ? null : (
        <span class="connection-text" aria-hidden="true">
          {text}
        </span>
      )}
      {action === 'retry' ? (
        <button type="button" class="small" onClick={() => (state === 'closed' ? chat.reopen() : chat.wake())}>
          Try now
        </button>
      ) : null}
      {action === 'reload' ? (
        <button type="button" class="small" onClick={() => location.reload()}>
          Reload
        </button>
      ) : null}
    </div>
  );
}

function OfflineNote() {
  return (
    <div class="connection" data-testid="connection" data-state="offline">
      <span class="dot" aria-hidden="true" />
      <span class="connection-text" role="status">
        Offline: a new chat starts when you are back
      </span>
    </div>
  );
}

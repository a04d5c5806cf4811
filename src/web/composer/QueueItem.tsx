import { useSignal, type Signal } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import { useApp } from '../state/context.ts';
import type { QueueEntry } from '../state/conversation.ts';
import { Icon } from '../ui/Icon.tsx';

export function QueueItem({ entry }: { entry: QueueEntry }) {
  const { chat } = useApp();
  const editing = useSignal(false);
  const { id, text, state } = entry;
  return (
    <li
      class={`queue-item ${state}`}
      data-testid={state === 'waiting' ? 'queue-item' : 'pending-item'}
      data-id={id}
      data-state={state}
    >
      {editing.value ? (
        <EditField text={text} editing={editing} onSave={(changed) => chat.edit(id, changed)} />
      ) : (
        <>
          <span class="queue-body">
            <span class="queue-text">{text}</span>
            <span class="queue-state">{stateText(entry)}</span>
          </span>
          <button
            type="button"
            class="quiet icon-button"
            aria-label="Edit"
            title="Edit"
            data-testid="queue-edit"
            onClick={() => (editing.value = true)}
          >
            <Icon name="edit" />
          </button>
          <button
            type="button"
            class="quiet icon-button"
            aria-label={state === 'refused' ? 'Discard' : 'Withdraw'}
            title={state === 'refused' ? 'Discard' : 'Withdraw'}
            data-testid="queue-cancel"
            onClick={() => void chat.cancel(id)}
          >
            <Icon name="close" />
          </button>
        </>
      )}
    </li>
  );
}

function stateText({ state, ahead, reason }: QueueEntry): string {
  if (state === 'refused') return `Not sent: ${reason}`;
  if (state === 'unsent') return 'Will be sent when online';
  if (state === 'sending') return 'Sending…';
  return ahead <= 1 ? 'Next' : `${ahead} before it`;
}

interface EditProps {
  text: string;
  editing: Signal<boolean>;
  onSave: (text: string) => Promise<boolean>;
}

function EditField({ text, editing, onSave }: EditProps) {
  const field = useRef<HTMLTextAreaElement>(null);
  const changed = useSignal(text);
  useEffect(() => {
    field.current?.focus();
    field.current?.setSelectionRange(text.length, text.length);
  }, []);
  const save = async () => {
    const wanted = changed.value;
    if (wanted.trim() === '') return;
    if (wanted === text || (await onSave(wanted))) editing.value = false;
  };
  return (
    <form
      class="queue-edit"
      onSubmit={(event) => {
        event.preventDefault();
        void save();
      }}
    >
      <textarea
        ref={field}
        aria-label="Waiting message"
        value={changed}
        onInput={(event) => (changed.value = event.currentTarget.value)}
        onKeyDown={(event) => {
          if (event.isComposing) return;
          if (event.key === 'Escape') editing.value = false;
          if (event.key === 'Enter' && !event.shiftKey) {
            event.preventDefault();
            void save();
          }
        }}
      />
      <button type="submit" class="small">
        Save
      </button>
      <button type="button" class="small quiet" onClick={() => (editing.value = false)}>
        Keep as it was
      </button>
    </form>
  );
}

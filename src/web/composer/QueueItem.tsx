import { useSignal, type Signal } from '@preact/signals';
import { useEffect, useLayoutEffect, useRef } from 'preact/hooks';
import { useApp } from '../state/context.ts';
import type { QueueEntry } from '../state/conversation.ts';
import { isComposing } from '../ui/composing.ts';
import { Icon } from '../ui/Icon.tsx';

/** Gets the text of a change that was not saved when its message left the queue, and its session. */
export type LostEdit = (session: string | null, text: string) => void;

export function QueueItem({ entry, onLost }: { entry: QueueEntry; onLost: LostEdit }) {
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
        <EditField text={text} editing={editing} onSave={(changed) => chat.edit(id, changed)} onLost={onLost} />
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
  onLost: LostEdit;
}

function EditField({ text, editing, onSave, onLost }: EditProps) {
  const { chat } = useApp();
  const field = useRef<HTMLTextAreaElement>(null);
  const changed = useSignal(text);
  const { current: edit } = useRef({
    session: chat.session.peek(),
    before: text,
    saving: false,
    done: false,
    gone: false,
  });
  // Once the message left the queue, nothing else holds what was written.
  const rescue = () => {
    const lost = changed.peek();
    if (!edit.done && !edit.saving && lost.trim() !== '' && lost !== edit.before) onLost(edit.session, lost);
  };
  // Before anything can be typed: later it would move the cursor under a quick hand.
  useLayoutEffect(() => {
    field.current?.focus();
    field.current?.setSelectionRange(text.length, text.length);
  }, []);
  useEffect(() => {
    // A page that is left for good (a reload after the login ended) takes the field with it.
    const onPageHide = (event: PageTransitionEvent) => {
      if (!event.persisted) rescue();
    };
    addEventListener('pagehide', onPageHide);
    return () => {
      removeEventListener('pagehide', onPageHide);
      edit.gone = true;
      rescue();
    };
  }, []);
  const close = () => {
    edit.done = true;
    editing.value = false;
  };
  const save = async () => {
    const wanted = changed.value;
    if (wanted.trim() === '' || edit.saving) return;
    if (wanted === text) return close();
    edit.saving = true;
    const saved = await onSave(wanted);
    edit.saving = false;
    if (saved) close();
    else if (edit.gone) rescue();
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
          if (isComposing(event)) return;
          if (event.key === 'Escape') close();
          if (event.key === 'Enter' && !event.shiftKey) {
            event.preventDefault();
            void save();
          }
        }}
      />
      <button type="submit" class="small">
        Save
      </button>
      <button type="button" class="small quiet" onClick={close}>
        Keep as it was
      </button>
    </form>
  );
}

import { useComputed, useSignal } from '@preact/signals';
import { useLayoutEffect, useRef } from 'preact/hooks';
import { MAX_TEXT_BYTES } from '../../protocol/limits.ts';
import { useApp } from '../state/context.ts';
import { isComposing } from '../ui/composing.ts';
import { Icon } from '../ui/Icon.tsx';
import { lazy } from '../ui/lazy.tsx';
import { parseInput } from '../../client/slash-commands.ts';
import { lengthNote } from './length.ts';
import { Queue } from './Queue.tsx';
import type { KeyTaker } from './SuggestionsView.tsx';

const SuggestionsView = lazy((later) => later.SuggestionsView);

export function Composer() {
  const app = useApp();
  const { chat, drafts, router } = app;
  const session = router.route.value.session;
  const area = useRef<HTMLTextAreaElement>(null);
  const text = useSignal(drafts.read(session));
  const shown = useRef(session);
  /** Set while the first message of a new chat makes its session. */
  const starting = useRef(false);

  // The chat changed: its own draft, and ready to type where no keyboard would cover the screen. Before it is
  // drawn: later the focus would be taken from wherever somebody has put it by then.
  useLayoutEffect(() => {
    const moved = shown.current !== session;
    const started = shown.current === null && starting.current;
    shown.current = session;
    // What was typed while the new chat was being made belongs to it.
    if (started) drafts.write(session, text.peek());
    else if (moved) text.value = drafts.read(session);
    if (matchMedia('(hover: hover)').matches && router.route.peek().seq === null) area.current?.focus();
  }, [session]);

  const change = (value: string) => {
    text.value = value;
    drafts.write(session, value);
  };
  const keys = useRef<KeyTaker | null>(null);
  const suggests = useComputed(() => /^[@/]/.test(text.value)).value;
  const note = lengthNote(text.value, MAX_TEXT_BYTES);
  const sendable = text.value.trim() !== '' && !note.tooLong;

  const submit = async () => {
    const message = text.value;
    if (!sendable) return;
    const typed = parseInput(message);
    if (typed.kind === 'problem') return app.explain(typed.reason);
    if (typed.kind === 'command') {
      change('');
      return void app.run(typed.command);
    }
    // Cleared at once, so that the next one can be written. The draft stays until it was taken.
    text.value = '';
    area.current?.focus();
    starting.current = session === null;
    const taken = await app.send(typed.text);
    starting.current = false;
    const here = shown.current === session;
    const since = here ? text.peek() : '';
    const left = taken ? since : since === '' ? message : `${message}\n\n${since}`;
    drafts.write(session, left);
    if (here) text.value = left;
  };

  /** What was being written in the place of a message that waits no longer: kept, to be sent or not. */
  const takeBack = (owner: string | null, lost: string) => {
    // A chat that was deleted leaves nothing behind, nor anything to say.
    if (drafts.forgotten(owner)) return;
    const here = shown.current === owner;
    const draft = here ? text.peek() : drafts.read(owner);
    const kept = draft.trim() === '' ? lost : `${draft}\n${lost}`;
    drafts.write(owner, kept);
    if (here) text.value = kept;
    app.toasts.show('The message you were changing no longer waits. Your text is in the message field.');
  };

  const onKeyDown = (event: KeyboardEvent) => {
    if (isComposing(event)) return;
    if (keys.current?.(event)) return event.preventDefault();
    if (event.key === 'Enter' && !event.shiftKey) {
      event.preventDefault();
      void submit();
    }
    if (event.key === 'Escape' && chat.answering.peek()) chat.stop();
  };
  return (
    <div class="composer-area">
      {chat.view.value?.othersTyping ? <p class="others-typing">Somebody is typing in another tab…</p> : null}
      <Queue onLost={takeBack} />
      {suggests && area.current ? (
        <SuggestionsView field={area.current} text={text} onChange={change} keys={keys} />
      ) : null}
      <form
        class="composer"
        onSubmit={(event) => {
          event.preventDefault();
          void submit();
        }}
      >
        <textarea
          ref={area}
          id="composer"
          data-testid="composer"
          rows={1}
          aria-label="Message"
          aria-describedby="length-note"
          placeholder="Write a message"
          enterkeyhint="send"
          value={text}
          onInput={(event) => {
            change(event.currentTarget.value);
            chat.typing();
          }}
          onKeyDown={onKeyDown}
        />
        {chat.answering.value ? <StopButton /> : null}
        <button
          type="submit"
          class="send"
          data-testid="send"
          aria-label="Send"
          title="Send (Enter)"
          disabled={!sendable}
        >
          <Icon name="send" />
        </button>
      </form>
      <p id="length-note" class={note.tooLong ? 'length-note error-text' : 'length-note'}>
        {note.text}
      </p>
    </div>
  );
}

function StopButton() {
  const { chat } = useApp();
  const stopping = chat.stopping.value;
  return (
    <button
      type="button"
      class="stop"
      data-testid="stop"
      disabled={stopping}
      title="Stop the answer (Escape)"
      onClick={() => chat.stop()}
    >
      <Icon name="stop" />
      {stopping ? 'Stopping…' : 'Stop'}
    </button>
  );
}

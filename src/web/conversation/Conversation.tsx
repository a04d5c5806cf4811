import { useComputed, useSignal } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import { useApp } from '../state/context.ts';
import { Icon } from '../ui/Icon.tsx';
import { Answer } from './Answer.tsx';
import { OlderMessages } from './OlderMessages.tsx';
import { useFollow } from './useFollow.ts';
import { useTarget } from './useTarget.ts';
import { SendingMessage, UserMessageView } from './UserMessage.tsx';

/** Older messages are asked for before the reader meets their end. */
const LOAD_AHEAD_PX = 300;

export function Conversation() {
  const { chat } = useApp();
  const { entries } = chat.arranged.value;
  const scroller = useRef<HTMLDivElement>(null);
  const content = useRef<HTMLDivElement>(null);
  const hasOlder = useComputed(() => chat.view.value?.olderBefore != null);
  const unseen = useSignal(false);
  const { atEnd, ...follow } = useFollow(scroller, content, entries[0]?.key ?? null);
  useTarget(scroller);

  const lastKey = entries.at(-1)?.key ?? '';
  useEffect(() => {
    if (!atEnd.peek()) unseen.value = true;
  }, [lastKey]);
  const sends = useRef(chat.sends.value);
  useEffect(() => {
    if (sends.current !== chat.sends.value) follow.toEnd();
    sends.current = chat.sends.value;
  }, [chat.sends.value]);

  const scrolled = () => {
    follow.onScroll();
    if (atEnd.peek()) unseen.value = false;
    if ((scroller.current?.scrollTop ?? Infinity) < LOAD_AHEAD_PX && !atEnd.peek()) void chat.loadOlder();
  };
  return (
    <div class="conversation">
      <div ref={scroller} class="scroller" onScroll={scrolled}>
        {/* Not live: a reader of a stream would be read every token. StatusRegion says what matters. */}
        <div ref={content} class="messages" role="log" aria-live="off" aria-label="Conversation" data-testid="messages">
          {hasOlder.value ? (
            <OlderMessages loading={chat.loadingOlder.value} onLoad={() => void chat.loadOlder()} />
          ) : null}
          {entries.map((entry) => {
            if (entry.kind === 'user') return <UserMessageView key={entry.key} message={entry.message} />;
            if (entry.kind === 'sending') return <SendingMessage key={entry.key} pending={entry.pending} />;
            return <Answer key={entry.key} entryKey={entry.key} message={entry.message} last={entry.last} />;
          })}
        </div>
      </div>
      {atEnd.value ? null : (
        <button type="button" class="to-end" data-testid="to-end" onClick={() => follow.toEnd()}>
          <Icon name="down" />
          {unseen.value || chat.answering.value ? 'New messages' : 'To the end'}
        </button>
      )}
    </div>
  );
}

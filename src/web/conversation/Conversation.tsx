import { useComputed, useSignal } from '@preact/signals';
import { Component, Fragment } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import { useApp } from '../state/context.ts';
import { Icon } from '../ui/Icon.tsx';
import { isSameEntry, type Entry } from '../state/conversation.ts';
import { Answer } from './Answer.tsx';
import { NoteView } from './NoteView.tsx';
import { OlderMessages } from './OlderMessages.tsx';
import { useFollow } from './useFollow.ts';
import { useTarget } from './useTarget.ts';
import { SendingMessage, UserMessageView } from './UserMessage.tsx';

/** Older messages are asked for before the reader meets their end. */
const LOAD_AHEAD_PX = 300;

export function Conversation() {
  const { chat, notes } = useApp();
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
  // What was sent, or answered to a command, from here: the reader wants to see it.
  const own = `${chat.sends.value}.${notes.newest.value?.id ?? 0}`;
  const before = useRef(own);
  useEffect(() => {
    if (before.current !== own) follow.toEnd();
    before.current = own;
  }, [own]);

  const keys = new Set(entries.map(({ key }) => key));
  const notesAfter = (key: string | null) =>
    notes.list.value
      .filter(({ after }) => (after !== null && keys.has(after) ? after : null) === key)
      .map((note) => <NoteView key={`note-${note.id}`} note={note} />);

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
          {entries.map((entry) => (
            <Fragment key={entry.key}>
              <EntryView entry={entry} />
              {notesAfter(entry.key)}
            </Fragment>
          ))}
          {notesAfter(null)}
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

/** Drawn again only when it has changed itself: of thousands of messages all but the newest are as they were. */
class EntryView extends Component<{ entry: Entry }> {
  override shouldComponentUpdate({ entry }: { entry: Entry }): boolean {
    return !isSameEntry(this.props.entry, entry);
  }

  override render() {
    const { entry } = this.props;
    if (entry.kind === 'user') return <UserMessageView message={entry.message} />;
    if (entry.kind === 'sending') return <SendingMessage pending={entry.pending} />;
    return <Answer entryKey={entry.key} turn={entry.turn} message={entry.message} last={entry.last} />;
  }
}

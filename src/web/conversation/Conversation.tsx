import { useComputed, useSignal } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import { useApp } from '../state/context.ts';
import type { Note } from '../state/notes.ts';
import { Icon } from '../ui/Icon.tsx';
import { NoteView } from './NoteView.tsx';
import { OlderMessages } from './OlderMessages.tsx';
import { stretchesOf, type Stretch } from './stretches.ts';
import { StretchView } from './StretchView.tsx';
import { useFollow } from './useFollow.ts';
import { useTarget } from './useTarget.ts';

/** Older messages are asked for before the reader meets their end. */
const LOAD_AHEAD_PX = 300;

export function Conversation() {
  const { chat, notes } = useApp();
  const { entries } = chat.arranged.value;
  const scroller = useRef<HTMLDivElement>(null);
  const content = useRef<HTMLDivElement>(null);
  const hasOlder = useComputed(() => chat.view.value?.olderBefore != null);
  const unseen = useSignal(false);
  const { atEnd, ...follow } = useFollow(scroller, content);
  useTarget(scroller, follow.leaveEnd);

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

  const notesList = notes.list.value;
  const keys = new Set(notesList.length > 0 ? entries.map(({ key }) => key) : []);
  const isPlaced = ({ after }: Note) => after !== null && keys.has(after);
  const notesIn = ({ entries: own }: Stretch) => notesList.filter(({ after }) => own.some(({ key }) => key === after));

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
          {stretchesOf(entries).map((stretch) => (
            <StretchView key={stretch.key} stretch={stretch} notes={notesIn(stretch)} />
          ))}
          {notesList
            .filter((note) => !isPlaced(note))
            .map((note) => (
              <NoteView key={`note-${note.id}`} note={note} />
            ))}
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

import { useApp } from '../state/context.ts';
import { NoteView } from './NoteView.tsx';

/** A new chat before its first message. */
export function Welcome() {
  const { notes } = useApp();
  if (notes.list.value.length > 0) {
    return (
      <div class="welcome-notes">
        {notes.list.value.map((note) => (
          <NoteView key={note.id} note={note} />
        ))}
      </div>
    );
  }
  return (
    <div class="welcome">
      <div>
        <h2>What is on your mind?</h2>
        <p>
          Write below. You can go on writing while an answer is made: messages wait in line. Answers go on by themselves
          when you close this page, and are here when you come back.
        </p>
        <p class="hint">
          <kbd>@</kbd> asks another bot, <kbd>/</kbd> shows commands.
        </p>
      </div>
    </div>
  );
}

export function SessionMissing() {
  return (
    <div class="welcome" data-testid="session-missing">
      <div>
        <h2>This chat is not here</h2>
        <p>It was deleted, or it belongs to somebody else. Chats can be opened only in the browser that made them.</p>
        <a class="button" href="#/">
          New chat
        </a>
      </div>
    </div>
  );
}

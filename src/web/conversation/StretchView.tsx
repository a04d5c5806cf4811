import { Component, Fragment } from 'preact';
import type { Note } from '../state/notes.ts';
import { isSameEntry, type Entry } from '../state/conversation.ts';
import { Answer } from './Answer.tsx';
import { NoteView } from './NoteView.tsx';
import { isSameStretch, type Stretch } from './stretches.ts';
import { SendingMessage, UserMessageView } from './UserMessage.tsx';

/** What an entry takes of the page's height, until it was drawn once: from then on the browser remembers. */
const ENTRY_PX = 90;

interface Props {
  stretch: Stretch;
  /** Those that stand in this stretch, each after the entry it names. */
  notes: readonly Note[];
}

/** Drawn again only when it has changed itself: of thousands of messages all but the newest are as they were. */
export class StretchView extends Component<Props> {
  override shouldComponentUpdate({ stretch, notes }: Props): boolean {
    const before = this.props;
    const hasSameNotes = before.notes.length === notes.length && before.notes.every((note, at) => note === notes[at]);
    return !hasSameNotes || !isSameStretch(before.stretch, stretch);
  }

  override render() {
    const { stretch, notes } = this.props;
    return (
      <div class="stretch" style={{ containIntrinsicBlockSize: `auto ${stretch.entries.length * ENTRY_PX}px` }}>
        {stretch.entries.map((entry) => (
          <Fragment key={entry.key}>
            <EntryView entry={entry} />
            {notes
              .filter(({ after }) => after === entry.key)
              .map((note) => (
                <NoteView key={`note-${note.id}`} note={note} />
              ))}
          </Fragment>
        ))}
      </div>
    );
  }
}

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

import type { Editor } from '../state/editor.ts';
import { FIELDS } from './fields.ts';
import type { ConflictField } from './form.ts';

const SHOWN_LENGTH = 200;

/** Somebody saved meanwhile: what they changed, and what of it stands against what was typed here. */
export function ConflictNote({ editor }: { editor: Editor }) {
  const changed = editor.conflict.value;
  if (changed === null) return null;
  const contested = changed.filter(({ mine }) => mine !== null).length;
  return (
    <section class="note conflict" role="alert" data-testid="conflict">
      <p>
        <strong>This bot was changed while you were editing.</strong> Nothing of yours is saved yet, and nothing is
        lost.{' '}
        {contested === 0
          ? 'The other changes were taken over below. Save to add yours.'
          : 'Where you both changed something, the form holds yours: take theirs, or save yours over it.'}
      </p>
      <ul class="plain-list">
        {changed.map((entry) => (
          <ConflictItem key={entry.field} entry={entry} onTake={() => editor.takeTheirs(entry.field)} />
        ))}
      </ul>
    </section>
  );
}

function ConflictItem({ entry, onTake }: { entry: ConflictField; onTake: () => void }) {
  const { field, was, theirs, mine } = entry;
  return (
    <li data-testid={`conflict-${field}`}>
      <strong>{FIELDS[field].label}</strong>: <Value text={was} /> became <Value text={theirs} />
      {mine === null ? null : (
        <>
          , yours is <Value text={mine} />{' '}
          <button type="button" class="small" onClick={onTake}>
            Take theirs
          </button>
        </>
      )}
    </li>
  );
}

function Value({ text }: { text: string }) {
  if (text === '') return <em>empty</em>;
  return <code>{text.length > SHOWN_LENGTH ? `${text.slice(0, SHOWN_LENGTH)}…` : text}</code>;
}

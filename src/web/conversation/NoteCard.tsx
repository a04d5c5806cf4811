import type { ComponentChild } from 'preact';
import { SLASH_COMMANDS } from '../../client/slash-commands.ts';
import { useApp } from '../state/context.ts';
import type { Note } from '../state/notes.ts';
import { Icon } from '../ui/Icon.tsx';

/** What the page itself answered to a command. Only here, and only until the chat is left. */
export function NoteCard({ note }: { note: Note }) {
  const { notes } = useApp();
  return (
    <aside class={`note ${note.content.kind}`} aria-label="Note" data-testid="note" data-command={note.command ?? ''}>
      <div class="note-body">
        {note.command === null ? null : <code>/{note.command}</code>}
        {contentOf(note)}
      </div>
      <button
        type="button"
        class="quiet icon-button"
        aria-label="Dismiss the note"
        onClick={() => {
          notes.dismiss(note.id);
          document.querySelector<HTMLElement>('#composer')?.focus();
        }}
      >
        <Icon name="close" />
      </button>
    </aside>
  );
}

function contentOf({ content }: Note): ComponentChild {
  switch (content.kind) {
    case 'problem':
      return <p>{content.text}</p>;
    case 'text':
      return (
        <p>
          {content.text}
          {content.link ? (
            <>
              {' '}
              <a href={content.link.href} download>
                {content.link.label}
              </a>
            </>
          ) : null}
        </p>
      );
    case 'facts':
      return (
        <dl>
          {content.facts.map(([label, value]) => (
            <div key={label}>
              <dt>{label}</dt>
              <dd>{value}</dd>
            </div>
          ))}
        </dl>
      );
    case 'help':
      return <Help />;
  }
}

function Help() {
  return (
    <dl>
      {SLASH_COMMANDS.map(({ name, usage, does }) => (
        <div key={name}>
          <dt>
            <code>
              /{name} {usage}
            </code>
          </dt>
          <dd>{does}</dd>
        </div>
      ))}
      <div>
        <dt>
          <code>@bot text</code>
        </dt>
        <dd>Asks another bot, for this message only</dd>
      </div>
      <div>
        <dt>
          <code>//text</code>
        </dt>
        <dd>Sends text that begins with a slash, where it would be a command</dd>
      </div>
    </dl>
  );
}

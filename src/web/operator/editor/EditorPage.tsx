import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks';
import { useConsole } from '../state/context.ts';
import type { Editor } from '../state/editor.ts';
import { hrefOf } from '../state/router.ts';
import { FailureNote } from '../ui/FailureNote.tsx';
import { ConflictNote } from './ConflictNote.tsx';
import { FieldView } from './FieldView.tsx';
import { FIELD_GROUPS, type FieldName } from './fields.ts';

export function EditorPage({ bot }: { bot: string | null }) {
  const { editorOf } = useConsole();
  const editor = editorOf(bot);
  useEffect(() => void editor.load(), [editor]);
  useEffect(() => {
    const warn = (event: BeforeUnloadEvent) => {
      if (editor.isChanged.peek()) event.preventDefault();
    };
    addEventListener('beforeunload', warn);
    return () => removeEventListener('beforeunload', warn);
  }, [editor]);

  const base = editor.base.value;
  const error = editor.failure.value;
  return (
    <div class="page-column" data-testid="editor">
      <a class="back-link" href={hrefOf(bot === null ? { page: 'bots' } : { page: 'bot', id: bot })}>
        {bot === null ? 'All bots' : bot}
      </a>
      <h1>
        {bot === null ? 'New bot' : `Edit ${base?.name ?? bot}`}{' '}
        {base ? <span class="muted revision">revision {base.revision}</span> : null}
      </h1>
      {bot !== null && base === null ? (
        error ? (
          <FailureNote what={`${bot} could not be read`} error={error} />
        ) : (
          <p class="empty">Loading {bot}.</p>
        )
      ) : (
        <Form editor={editor} />
      )}
    </div>
  );
}

function Form({ editor }: { editor: Editor }) {
  const { router, fleet, notices, forgetEditor } = useConsole();
  const { problems, failure, isChanged, busy, base } = editor;
  const isNew = editor.bot === null;
  const form = useRef<HTMLFormElement>(null);
  const [refusals, setRefusals] = useState(0);
  // With the drawing of what is wrong, not a frame after it: what is typed next belongs into that field.
  useLayoutEffect(() => {
    if (refusals > 0) form.current?.querySelector<HTMLElement>('[aria-invalid="true"]')?.focus();
  }, [refusals]);
  const save = async (event: Event) => {
    event.preventDefault();
    const saved = await editor.save();
    if (saved === null) {
      setRefusals((count) => count + 1);
      return;
    }
    fleet.take(saved);
    forgetEditor(editor.bot);
    notices.done(
      isNew
        ? `${saved.name} (${saved.id}) was made. It answers once it is launched.`
        : `${saved.name} (${saved.id}) was saved as revision ${saved.revision}.`,
    );
    router.go({ page: 'bot', id: saved.id });
  };
  const error = failure.value;
  return (
    <form ref={form} class="editor" onSubmit={save} noValidate>
      {!isNew && base.value?.spec === null ? (
        <p class="note">
          Configuration defines this bot: fields that are empty here are as they are there. What you save goes over it,
          and deleting the bot takes that back.
        </p>
      ) : null}
      <ConflictNote editor={editor} />
      {FIELD_GROUPS.map(({ title, fields }) => (
        <fieldset key={title}>
          <legend>{title}</legend>
          <div class="fields">
            {fields
              .filter((field) => isShown(field, editor))
              .map((field) => (
                <FieldView key={field} field={field} editor={editor} />
              ))}
          </div>
        </fieldset>
      ))}
      <div class="editor-actions">
        {error ? <FailureNote what="Not saved" error={error} /> : null}
        {problems.value.size > 0 ? (
          <p class="error-text" role="status">
            {problems.value.size === 1 ? 'One field needs' : `${problems.value.size} fields need`} another look.
          </p>
        ) : null}
        <button
          type="button"
          disabled={!isChanged.value || busy.value}
          onClick={() => editor.discard()}
          data-testid="discard"
        >
          Discard changes
        </button>
        <button type="submit" class="primary" disabled={!isChanged.value || busy.value} data-testid="save">
          {busy.value ? 'Saving' : isNew ? 'Make the bot' : 'Save'}
        </button>
      </div>
    </form>
  );
}

function isShown(field: FieldName, editor: Editor): boolean {
  return field !== 'systemPrompt' || editor.values.value.systemPromptFrom === 'own';
}

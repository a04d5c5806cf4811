import { useSignal } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import { MAX_TITLE_LENGTH } from '../../protocol/limits.ts';
import { isComposing } from './composing.ts';

interface Props {
  title: string;
  onSave: (title: string) => void;
  onClose: () => void;
}

/** A title while it is changed: Enter and leaving save, Escape does not. */
export function TitleField({ title, onSave, onClose }: Props) {
  const input = useRef<HTMLInputElement>(null);
  const text = useSignal(title);
  const done = useRef(false);
  useEffect(() => input.current?.select(), []);

  const finish = (save: boolean) => {
    if (done.current) return;
    done.current = true;
    const wanted = text.value.trim();
    if (save && wanted !== '' && wanted !== title) onSave(wanted);
    onClose();
  };
  return (
    <input
      ref={input}
      class="title-field"
      data-testid="title-field"
      aria-label="Title"
      maxLength={MAX_TITLE_LENGTH}
      value={text}
      onInput={(event) => (text.value = event.currentTarget.value)}
      onBlur={() => finish(true)}
      onKeyDown={(event) => {
        if (isComposing(event)) return;
        if (event.key === 'Enter') finish(true);
        if (event.key === 'Escape') finish(false);
        event.stopPropagation();
      }}
    />
  );
}

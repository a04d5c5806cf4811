import type { ReadonlySignal } from '@preact/signals';
import { useEffect, useLayoutEffect, useRef } from 'preact/hooks';
import type { Suggestion } from './suggest.ts';
import { LIST_ID, optionId, useSuggestions } from './useSuggestions.ts';

/** Gets a key first; says whether it was for the list. */
export type KeyTaker = (event: KeyboardEvent) => boolean;

interface Props {
  field: HTMLTextAreaElement;
  text: ReadonlySignal<string>;
  onChange: (text: string) => void;
  /** Where the list hangs its keys while it is there. */
  keys: { current: KeyTaker | null };
}

/** Over the message field, which keeps the focus: the list is chosen from with its keys, or with a finger. */
export function SuggestionsView({ field, text, onChange, keys }: Props) {
  const list = useSuggestions(field, text, onChange);
  // Before the next key can come.
  useLayoutEffect(() => {
    keys.current = list.onKey;
    return () => void (keys.current = null);
  });
  const open = list.open.value;
  const active = list.active.value;
  const box = useRef<HTMLUListElement>(null);
  useEffect(() => {
    box.current?.querySelector('[aria-selected=true]')?.scrollIntoView({ block: 'nearest' });
  }, [active]);
  const count = open?.items.length ?? 0;
  return (
    <>
      <p class="offscreen" role="status">
        {open === null ? '' : `${open.title}: ${count}, arrow keys choose`}
      </p>
      {open === null ? null : (
        <div class="suggestions-place">
          <ul ref={box} id={LIST_ID} class="suggestions plain-list" role="listbox" aria-label={open.title}>
            {open.items.map((item, index) => (
              <OptionView
                key={item.key}
                item={item}
                id={optionId(index)}
                selected={index === active}
                onTake={() => list.take(item)}
              />
            ))}
          </ul>
        </div>
      )}
    </>
  );
}

interface OptionProps {
  item: Suggestion;
  id: string;
  selected: boolean;
  onTake: () => void;
}

function OptionView({ item, id, selected, onTake }: OptionProps) {
  return (
    <li
      id={id}
      class="option"
      role="option"
      aria-selected={selected}
      data-testid="suggestion"
      // The field must not lose the focus, nor a phone its keyboard.
      onPointerDown={(event) => event.preventDefault()}
      onClick={onTake}
    >
      <span class="option-label">{item.label}</span>
      <span class="option-detail">{item.detail}</span>
      {item.badge === '' ? null : <span class="badge">{item.badge}</span>}
    </li>
  );
}

import { useEffect, useRef } from 'preact/hooks';
import { useApp } from '../state/context.ts';
import { Icon } from '../ui/Icon.tsx';

const MAX_QUERY_LENGTH = 500;

export function SearchBox() {
  const { search, drawerOpen } = useApp();
  const input = useRef<HTMLInputElement>(null);

  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      const controlK = (event.ctrlKey || event.metaKey) && event.key.toLowerCase() === 'k';
      if (!controlK && (event.key !== '/' || isTyping(event.target))) return;
      event.preventDefault();
      drawerOpen.value = true;
      // The drawer is shown by then; a hidden field takes no focus.
      requestAnimationFrame(() => input.current?.focus({ preventScroll: true }));
    };
    addEventListener('keydown', onKey);
    return () => removeEventListener('keydown', onKey);
  }, []);

  return (
    <div class="search-box" role="search">
      <Icon name="search" />
      <input
        ref={input}
        type="search"
        data-testid="search"
        aria-label="Search your messages"
        aria-keyshortcuts="/ Control+K"
        placeholder="Search messages"
        maxLength={MAX_QUERY_LENGTH}
        value={search.text}
        onInput={(event) => search.type(event.currentTarget.value)}
        onKeyDown={(event) => {
          if (event.key === 'Escape') search.clear();
        }}
      />
    </div>
  );
}

function isTyping(target: EventTarget | null): boolean {
  return target instanceof HTMLElement && (target.matches('input, textarea, select') || target.isContentEditable);
}

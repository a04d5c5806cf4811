import { useLayoutEffect, useRef } from 'preact/hooks';
import { useApp } from '../state/context.ts';
import { Icon } from '../ui/Icon.tsx';
import { isTyping } from '../ui/typing.ts';

const MAX_QUERY_LENGTH = 500;

export function SearchBox() {
  const { search, drawerOpen } = useApp();
  const input = useRef<HTMLInputElement>(null);

  // Before anything is drawn: whoever sees the page can use its keys.
  useLayoutEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      const controlK = (event.ctrlKey || event.metaKey) && event.key.toLowerCase() === 'k';
      if (!controlK && (event.key !== '/' || isTyping(event.target))) return;
      event.preventDefault();
      drawerOpen.value = true;
      const focus = () => input.current?.focus({ preventScroll: true });
      // At once: the next key is part of the search. A field in a drawer takes no focus before it is shown.
      focus();
      if (document.activeElement !== input.current) requestAnimationFrame(focus);
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

/**
 * Scrolling of a conversation. It follows the end only while the reader is there, and keeps what
 * is being read in its place when older messages come above it.
 */
import { useSignal, type ReadonlySignal } from '@preact/signals';
import type { RefObject } from 'preact';
import { useEffect, useLayoutEffect, useRef } from 'preact/hooks';

/** Nearer to the end than this counts as being there: zoom and rounding leave a few pixels. */
const AT_END_PX = 48;

interface Follow {
  atEnd: ReadonlySignal<boolean>;
  toEnd(): void;
  onScroll(): void;
}

export function useFollow(
  scroller: RefObject<HTMLElement | null>,
  content: RefObject<HTMLElement | null>,
  firstKey: string | null,
): Follow {
  const atEnd = useSignal(true);
  const first = useRef<{ key: string; top: number } | null>(null);
  /** Where the conversation stood when it was last looked at. */
  const lastTop = useRef(0);

  const toEnd = () => {
    atEnd.value = true;
    const element = scroller.current;
    if (!element) return;
    // At once: a smooth way would be overtaken by what arrives meanwhile.
    element.scrollTop = element.scrollHeight;
    lastTop.current = element.scrollTop;
  };

  // After every drawing: what is above the first message (a button that goes) moves it as well.
  // The browser's own anchoring is off (Safari has none): one rule everywhere.
  useLayoutEffect(() => {
    const element = scroller.current;
    const before = first.current;
    const topOf = (key: string | null) =>
      key === null ? null : (element?.querySelector<HTMLElement>(`[data-key="${CSS.escape(key)}"]`)?.offsetTop ?? null);
    const moved = before === null ? null : topOf(before.key);
    if (element && before && moved !== null && moved !== before.top && !atEnd.peek()) {
      element.scrollTop += moved - before.top;
    }
    const top = topOf(firstKey);
    first.current = firstKey === null || top === null ? null : { key: firstKey, top };
  });

  useEffect(() => {
    if (!content.current || !scroller.current) return;
    const observer = new ResizeObserver(() => {
      if (atEnd.peek()) toEnd();
    });
    observer.observe(content.current);
    // The composer grows, the phone's keyboard opens: the end moves too.
    observer.observe(scroller.current);
    return () => observer.disconnect();
  }, []);

  return {
    atEnd,
    toEnd,
    onScroll() {
      const element = scroller.current;
      if (!element) return;
      const { scrollTop } = element;
      const isAtEnd = element.scrollHeight - scrollTop - element.clientHeight <= AT_END_PX;
      // The end may have moved on since the page went there, and this only now tells of it: a reader leaves upwards.
      const hasLeft = scrollTop < lastTop.current;
      atEnd.value = isAtEnd || (atEnd.peek() && !hasLeft);
      lastTop.current = scrollTop;
    },
  };
}

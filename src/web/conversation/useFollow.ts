/**
 * Scrolling of a conversation. It follows the end only while the reader is there, and keeps what
 * is being read in its place whatever comes, goes or is drawn for the first time above it.
 */
import { useSignal, type ReadonlySignal } from '@preact/signals';
import type { RefObject } from 'preact';
import { useEffect, useLayoutEffect, useRef } from 'preact/hooks';

/** Nearer to the end than this counts as being there: zoom and rounding leave a few pixels. */
const AT_END_PX = 48;

interface Follow {
  atEnd: ReadonlySignal<boolean>;
  toEnd(): void;
  /** The page has gone to something else: known at once, since the browser tells of a scroll only later, and the end may move before. */
  leaveEnd(this: void): void;
  onScroll(): void;
}

/** What is being read, and where it stands in the conversation. */
interface Anchor {
  message: Element;
  /** px */
  top: number;
}

export function useFollow(scroller: RefObject<HTMLElement | null>, content: RefObject<HTMLElement | null>): Follow {
  const atEnd = useSignal(true);
  const anchor = useRef<Anchor | null>(null);
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

  const placeOf = (message: Element) =>
    message.getBoundingClientRect().top - (content.current?.getBoundingClientRect().top ?? 0);

  const takeAnchor = () => {
    const message = scroller.current && content.current && firstInView(scroller.current, content.current);
    anchor.current = message && { message, top: placeOf(message) };
  };

  /** By how much it moved in the conversation, not in the view: the reader may be scrolling. */
  const holdAnchor = () => {
    const element = scroller.current;
    const held = anchor.current;
    if (!element || !held) return;
    if (!held.message.isConnected) return takeAnchor();
    const top = placeOf(held.message);
    // Less than a pixel is rounding; more of it adds up until it is one.
    if (Math.abs(top - held.top) < 1) return;
    element.scrollTop += top - held.top;
    lastTop.current = element.scrollTop;
    held.top = top;
  };

  // After every drawing: what is above the first message (a button that goes) moves it as well.
  // The browser's own anchoring is off (Safari has none): one rule everywhere.
  useLayoutEffect(() => {
    if (!atEnd.peek()) holdAnchor();
  });

  useEffect(() => {
    if (!content.current || !scroller.current) return;
    const observer = new ResizeObserver(() => {
      if (atEnd.peek()) toEnd();
      else holdAnchor();
    });
    observer.observe(content.current);
    // The composer grows, the phone's keyboard opens: the end moves too.
    observer.observe(scroller.current);
    return () => observer.disconnect();
  }, []);

  return {
    atEnd,
    toEnd,
    leaveEnd() {
      const element = scroller.current;
      if (!element) return;
      atEnd.value = isAtEnd(element);
      lastTop.current = element.scrollTop;
      if (!atEnd.peek()) takeAnchor();
    },
    onScroll() {
      const element = scroller.current;
      if (!element) return;
      const { scrollTop } = element;
      // The end may have moved on since the page went there, and this only now tells of it: a reader leaves upwards.
      const hasLeft = scrollTop < lastTop.current;
      atEnd.value = isAtEnd(element) || (atEnd.peek() && !hasLeft);
      lastTop.current = scrollTop;
      if (!atEnd.peek()) takeAnchor();
    },
  };
}

function isAtEnd({ scrollHeight, scrollTop, clientHeight }: Element): boolean {
  return scrollHeight - scrollTop - clientHeight <= AT_END_PX;
}

/** What is being read: the message that has the focus (a search hit), or else the topmost one in view. */
function firstInView(scroller: Element, content: Element): Element | null {
  const { top, bottom } = scroller.getBoundingClientRect();
  const isInView = (element: Element) => {
    const rect = element.getBoundingClientRect();
    return rect.bottom > top && rect.top < bottom;
  };
  const focused = document.activeElement;
  if (focused?.matches('.message') && content.contains(focused) && isInView(focused)) return focused;
  const stretches = [...content.querySelectorAll('.stretch')].filter(isInView);
  // Where messages are that were never drawn is not known yet.
  const isDrawn = (stretch: Element) => stretch.firstElementChild?.checkVisibility({ contentVisibilityAuto: true });
  const stretch = stretches.find(isDrawn) ?? stretches.at(-1);
  return stretch ? ([...stretch.children].find(isInView) ?? stretch) : null;
}

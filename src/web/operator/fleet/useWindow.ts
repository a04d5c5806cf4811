/** Only the rows that can be seen are in the page: a thousand bots cost what thirty do. */
import { useSignal } from '@preact/signals';
import type { RefObject } from 'preact';
import { useLayoutEffect } from 'preact/hooks';

/** Rows beyond both edges, so that a quick scroll shows rows and not emptiness. */
const SPARE_ROWS = 8;

export interface RowWindow {
  from: number;
  /** Exclusive. */
  to: number;
  /** Looks again where the view is: to be called when it has moved. */
  measure: () => void;
}

/** Which of `rows` rows of `rowPx` each are in or near the view of `scroller`. */
export function useWindow(scroller: RefObject<HTMLElement | null>, rows: number, rowPx: number): RowWindow {
  const top = useSignal(0);
  const height = useSignal(0);

  const measure = () => {
    if (!scroller.current) return;
    top.value = scroller.current.scrollTop;
    height.value = scroller.current.clientHeight;
  };
  useLayoutEffect(() => {
    measure();
    if (!scroller.current) return;
    const observer = new ResizeObserver(measure);
    observer.observe(scroller.current);
    return () => observer.disconnect();
  }, []);

  const from = Math.max(0, Math.floor(top.value / rowPx) - SPARE_ROWS);
  return {
    from: Math.min(from, Math.max(0, rows - 1)),
    to: Math.min(rows, Math.ceil((top.value + height.value) / rowPx) + SPARE_ROWS),
    measure,
  };
}

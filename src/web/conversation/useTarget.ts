/** Brings one message into view: what a search found, however far back it is. */
import { useEffect } from 'preact/hooks';
import type { RefObject } from 'preact';
import { useApp } from '../state/context.ts';

export function useTarget(scroller: RefObject<HTMLElement | null>): void {
  const { chat, router } = useApp();
  const { seq, session } = router.route.value;
  const view = chat.view.value;
  const here = view !== null && view.session === session && view.bot !== null ? view : null;
  const first = here?.messages[0]?.seq ?? Number.POSITIVE_INFINITY;
  const isFurtherBack = here !== null && seq !== null && here.olderBefore !== null && first > seq;
  // The page is told whose session it is before it is told what is in it.
  const isThere = here !== null && seq !== null && here.messages.some((message) => message.seq === seq);

  useEffect(() => {
    // One page at a time: each brings another `first`, until the message is there.
    if (isFurtherBack) void chat.loadOlder();
  }, [isFurtherBack, first]);

  useEffect(() => {
    if (!isThere) return;
    const message = scroller.current?.querySelector<HTMLElement>(`[data-seq="${seq}"]`);
    message?.scrollIntoView({ block: 'center' });
    message?.focus({ preventScroll: true });
  }, [isThere, session, seq]);
}

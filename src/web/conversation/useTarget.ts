/** Brings one message into view: what a search found, however far back it is. */
import { useComputed } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import type { RefObject } from 'preact';
import { useApp } from '../state/context.ts';

/** @param onShown called when the page has gone there */
export function useTarget(scroller: RefObject<HTMLElement | null>, onShown: () => void): void {
  const { chat, router } = useApp();
  const { seq, session } = router.route.value;
  // Asked apart, so that the conversation is not drawn anew with every piece of an answer.
  const shown = useComputed(() => {
    const view = chat.view.value;
    // The page is told whose session it is before it is told what is in it.
    return view !== null && view.session === router.route.value.session && view.bot !== null;
  });
  const hasOlder = useComputed(() => chat.view.value?.olderBefore != null);
  const here = shown.value;
  const messages = chat.messages.value;
  const first = (here ? messages[0]?.seq : undefined) ?? Number.POSITIVE_INFINITY;
  const isFurtherBack = here && seq !== null && hasOlder.value && first > seq;
  const isThere = here && seq !== null && messages.some((message) => message.seq === seq);

  useEffect(() => {
    // One page at a time: each brings another `first`, until the message is there.
    if (isFurtherBack) void chat.loadOlder();
  }, [isFurtherBack, first]);

  useEffect(() => {
    if (!isThere) return;
    const message = scroller.current?.querySelector<HTMLElement>(`[data-seq="${seq}"]`);
    if (!message) return;
    message.scrollIntoView({ block: 'center' });
    message.focus({ preventScroll: true });
    onShown();
  }, [isThere, session, seq]);
}

/** Brings one message into view: what a search found, however far back it is. */
import { useEffect } from 'preact/hooks';
import type { RefObject } from 'preact';
import { useApp } from '../state/context.ts';

export function useTarget(scroller: RefObject<HTMLElement | null>): void {
  const { chat, router } = useApp();
  const { seq, session } = router.route.value;
  const view = chat.view.value;
  const ready = seq !== null && view !== null && view.session === session && view.bot !== null;
  const first = view?.messages[0]?.seq ?? Number.POSITIVE_INFINITY;
  const older = view?.olderBefore ?? null;
  const loaded = ready && (first <= seq || older === null);

  useEffect(() => {
    // One page at a time: each brings another `first`, until the message is there.
    if (ready && !loaded) void chat.loadOlder();
  }, [ready, loaded, first]);

  useEffect(() => {
    if (!loaded) return;
    const message = scroller.current?.querySelector<HTMLElement>(`[data-seq="${seq}"]`);
    message?.scrollIntoView({ block: 'center' });
    message?.focus({ preventScroll: true });
  }, [loaded, session, seq]);
}

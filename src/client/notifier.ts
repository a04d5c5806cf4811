/**
 * Tells subscribers of changes, those of one task together. Never later: a hidden page draws no
 * frames, and who keeps messages alive there has to hear of them too.
 */

interface Notifier<View> {
  /** The newest picture, built when somebody wants it; the same object until something changes. */
  view(): View;
  changed(): void;
  subscribe(listener: (view: View) => void): () => void;
}

export function createNotifier<View>(build: () => View): Notifier<View> {
  const listeners = new Set<(view: View) => void>();
  let built: { view: View } | null = null;
  let scheduled = false;

  function view(): View {
    built ??= { view: build() };
    return built.view;
  }

  function flush(): void {
    scheduled = false;
    const current = view();
    for (const listener of listeners) {
      try {
        listener(current);
      } catch (error) {
        // One listener's fault must not keep the news from the others, nor go unseen.
        queueMicrotask(() => {
          throw error;
        });
      }
    }
  }

  return {
    view,
    changed() {
      built = null;
      if (scheduled || listeners.size === 0) return;
      scheduled = true;
      queueMicrotask(flush);
    },
    subscribe(listener) {
      // A function of its own: the same listener twice is two subscriptions.
      const entry = (current: View): void => listener(current);
      listeners.add(entry);
      return () => void listeners.delete(entry);
    },
  };
}

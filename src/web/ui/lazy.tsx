import { signal } from '@preact/signals';
import type { FunctionComponent } from 'preact';
import { useEffect } from 'preact/hooks';
import type * as Later from '../later.ts';
import { loadLater } from '../load-later.ts';
import { useApp } from '../state/context.ts';
import { reasonOf } from '../state/toasts.ts';

/** A component that the first paint does without. Draws nothing until it is there. */
export function lazy<Props extends object>(
  pick: (later: typeof Later) => FunctionComponent<Props>,
): FunctionComponent<Props> {
  const loaded = signal<FunctionComponent<Props> | null>(null);
  return function Lazy(props) {
    const { toasts } = useApp();
    useEffect(() => {
      if (loaded.peek() !== null) return;
      loadLater().then(
        (later) => (loaded.value = pick(later)),
        (error: unknown) => toasts.show(reasonOf(error)),
      );
    }, []);
    const Loaded = loaded.value;
    return Loaded === null ? null : <Loaded {...props} />;
  };
}

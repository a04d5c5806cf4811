import type { FunctionComponent } from 'preact';
import { useEffect } from 'preact/hooks';
import type * as Later from '../later.ts';
import { later, loadLater } from '../load-later.ts';
import { useApp } from '../state/context.ts';
import { reasonOf } from '../state/toasts.ts';

/** A component that the first paint does without. Draws nothing until it is there. */
export function lazy<Props extends object>(
  pick: (from: typeof Later) => FunctionComponent<Props>,
): FunctionComponent<Props> {
  return function Lazy(props) {
    const { toasts } = useApp();
    const from = later.value;
    useEffect(() => {
      if (from === null) loadLater().catch((error: unknown) => toasts.show(reasonOf(error)));
    }, []);
    if (from === null) return null;
    const Loaded = pick(from);
    return <Loaded {...props} />;
  };
}

import { useEffect } from 'preact/hooks';
import { useApp } from '../state/context.ts';
import type { Toast } from '../state/toasts.ts';
import { Icon } from './Icon.tsx';

/** Long enough to read; what offers another try stays until it is answered. */
const SHOWN_MS = 8_000;

export function Toasts() {
  const { toasts } = useApp();
  return (
    <div class="toasts" role="alert" data-testid="toasts">
      {toasts.list.value.map((toast) => (
        <ToastView key={toast.id} toast={toast} />
      ))}
    </div>
  );
}

function ToastView({ toast }: { toast: Toast }) {
  const { toasts } = useApp();
  const { id, text, retry } = toast;
  useEffect(() => {
    if (retry !== null) return;
    const timer = setTimeout(() => toasts.dismiss(id), SHOWN_MS);
    return () => clearTimeout(timer);
  }, [id]);
  return (
    <div class="toast">
      <span>{text}</span>
      {retry === null ? null : (
        <button
          type="button"
          class="small"
          onClick={() => {
            toasts.dismiss(id);
            retry();
          }}
        >
          Try again
        </button>
      )}
      <button type="button" class="quiet icon-button" aria-label="Dismiss" onClick={() => toasts.dismiss(id)}>
        <Icon name="close" />
      </button>
    </div>
  );
}

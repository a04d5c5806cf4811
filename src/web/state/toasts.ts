import { signal, type ReadonlySignal } from '@preact/signals';

export interface Toast {
  id: number;
  text: string;
  retry: (() => void) | null;
}

export interface Toasts {
  readonly list: ReadonlySignal<readonly Toast[]>;
  show(text: string, retry?: () => void): void;
  dismiss(id: number): void;
  /** Runs `action`; on failure says so, with a button that runs it again. True when it worked. */
  attempt(what: string, action: () => Promise<void>): Promise<boolean>;
}

/** More than this at once is noise; the oldest makes room. */
const MAX_TOASTS = 3;

export function createToasts(): Toasts {
  const list = signal<readonly Toast[]>([]);
  let lastId = 0;
  const toasts: Toasts = {
    list,
    show(text, retry) {
      lastId += 1;
      const others = list.value.filter((toast) => toast.text !== text);
      list.value = [...others, { id: lastId, text, retry: retry ?? null }].slice(-MAX_TOASTS);
    },
    dismiss(id) {
      list.value = list.value.filter((toast) => toast.id !== id);
    },
    async attempt(what, action) {
      try {
        await action();
        return true;
      } catch (error) {
        toasts.show(`${what}: ${reasonOf(error)}`, () => void toasts.attempt(what, action));
        return false;
      }
    },
  };
  return toasts;
}

export function reasonOf(error: unknown): string {
  return error instanceof Error && error.message !== '' ? error.message : 'something went wrong.';
}

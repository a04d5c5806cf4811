import { signal, type ReadonlySignal } from '@preact/signals';
import { asOperatorError } from './poll.ts';

/** Something that the operator did, and what came of it. */
export interface Notice {
  id: number;
  kind: 'done' | 'failed';
  text: string;
  /** Of a failure, for the server's logs. */
  requestId: string | null;
}

export interface Notices {
  readonly list: ReadonlySignal<readonly Notice[]>;
  done(text: string): void;
  failed(what: string, error: unknown): void;
  dismiss(id: number): void;
}

/** More at once is noise; the oldest makes room. */
const MAX_NOTICES = 4;

export function createNotices(): Notices {
  const list = signal<readonly Notice[]>([]);
  let lastId = 0;
  const add = (notice: Omit<Notice, 'id'>) => {
    lastId += 1;
    const others = list.peek().filter(({ text }) => text !== notice.text);
    list.value = [...others, { id: lastId, ...notice }].slice(-MAX_NOTICES);
  };
  return {
    list,
    done: (text) => add({ kind: 'done', text, requestId: null }),
    failed(what, error) {
      const { message, requestId } = asOperatorError(error);
      add({ kind: 'failed', text: `${what}: ${message}`, requestId });
    },
    dismiss(id) {
      list.value = list.peek().filter((notice) => notice.id !== id);
    },
  };
}

import { signal, type ReadonlySignal } from '@preact/signals';
import type { Api, Hit } from './ports.ts';
import { reasonOf } from './toasts.ts';

export interface Search {
  readonly text: ReadonlySignal<string>;
  readonly hits: ReadonlySignal<readonly Hit[]>;
  readonly hasMore: ReadonlySignal<boolean>;
  readonly state: ReadonlySignal<'idle' | 'searching' | 'done' | 'failed'>;
  /** Why the last search failed; empty otherwise. */
  readonly failure: ReadonlySignal<string>;
  type(text: string): void;
  again(): void;
  more(): Promise<void>;
  clear(): void;
}

/** Waits for a pause in typing, so that not every letter is a query. */
const PAUSE_MS = 200;

export function createSearch(api: Api): Search {
  const text = signal('');
  const hits = signal<readonly Hit[]>([]);
  const hasMore = signal(false);
  const state = signal<'idle' | 'searching' | 'done' | 'failed'>('idle');
  const failure = signal('');
  let cursor: string | null = null;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let running = new AbortController();

  function stop(): void {
    clearTimeout(timer);
    running.abort();
    running = new AbortController();
  }

  async function run(from: string | null): Promise<void> {
    stop();
    const { signal: aborted } = running;
    try {
      const query = { text: text.value.trim(), ...(from === null ? {} : { cursor: from }) };
      const page = await api.search(query, aborted);
      if (aborted.aborted) return;
      hits.value = from === null ? page.hits : [...hits.value, ...page.hits];
      cursor = page.nextCursor;
      hasMore.value = cursor !== null;
      state.value = 'done';
    } catch (error) {
      if (aborted.aborted) return;
      failure.value = reasonOf(error);
      state.value = 'failed';
    }
  }

  function clear(): void {
    stop();
    text.value = '';
    hits.value = [];
    hasMore.value = false;
    state.value = 'idle';
  }

  return {
    text,
    hits,
    hasMore,
    state,
    failure,
    type(value) {
      if (value.trim() === '') {
        clear();
        text.value = value;
        return;
      }
      text.value = value;
      state.value = 'searching';
      stop();
      timer = setTimeout(() => void run(null), PAUSE_MS);
    },
    again() {
      state.value = 'searching';
      void run(null);
    },
    more: () => run(cursor),
    clear,
  };
}

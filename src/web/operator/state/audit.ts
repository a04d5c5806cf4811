/** Operators' actions, newest first, page by page; and whether their chains hold. */
import { effect, signal, untracked, type ReadonlySignal } from '@preact/signals';
import { asOperatorError } from './poll.ts';
import type { OperatorApi, OperatorError, Verification } from './ports.ts';
import type { AuditEntry } from './shapes.ts';

export interface Audit {
  readonly entries: ReadonlySignal<readonly AuditEntry[]>;
  readonly hasMore: ReadonlySignal<boolean>;
  readonly busy: ReadonlySignal<boolean>;
  readonly failure: ReadonlySignal<OperatorError | null>;
  /** Of the last check; null before. */
  readonly verified: ReadonlySignal<Verification | null>;
  readonly verifying: ReadonlySignal<boolean>;
  reload(): Promise<void>;
  more(): Promise<void>;
  verify(): Promise<void>;
}

/** Follows `bot`: an id, null for all bots, undefined while nobody looks. */
export function createAudit(api: OperatorApi, bot: ReadonlySignal<string | null | undefined>): Audit {
  const entries = signal<readonly AuditEntry[]>([]);
  const cursor = signal<string | null>(null);
  const hasMore = signal(false);
  const busy = signal(false);
  const verifying = signal(false);
  const failure = signal<OperatorError | null>(null);
  const verified = signal<Verification | null>(null);
  /** Answers to a question that is not the last one are dropped. */
  let question = 0;

  async function load(from: string | null): Promise<void> {
    const of = bot.peek();
    if (of === undefined) return;
    const mine = (question += 1);
    busy.value = true;
    failure.value = null;
    try {
      const page = await api.audit({ ...(of === null ? {} : { bot: of }), ...(from === null ? {} : { cursor: from }) });
      if (mine !== question) return;
      entries.value = from === null ? page.entries : [...entries.peek(), ...page.entries];
      cursor.value = page.nextCursor;
      hasMore.value = page.nextCursor !== null;
    } catch (error) {
      if (mine === question) failure.value = asOperatorError(error);
    } finally {
      if (mine === question) busy.value = false;
    }
  }

  effect(() => {
    const of = bot.value;
    untracked(() => {
      entries.value = [];
      hasMore.value = false;
      verified.value = null;
      if (of !== undefined) void load(null);
    });
  });

  return {
    entries,
    hasMore,
    busy,
    failure,
    verified,
    verifying,
    reload: () => load(null),
    async more() {
      if (!busy.peek() && cursor.peek() !== null) await load(cursor.peek());
    },
    async verify() {
      if (verifying.peek()) return;
      verifying.value = true;
      failure.value = null;
      verified.value = null;
      const of = bot.peek() ?? null;
      try {
        const result = await api.verify(of);
        if ((bot.peek() ?? null) === of) verified.value = result;
      } catch (error) {
        failure.value = asOperatorError(error);
      } finally {
        verifying.value = false;
      }
    },
  };
}

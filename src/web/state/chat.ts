/** The open session: its client, and its view as signals that change at most once per frame. */
import { computed, signal, type ReadonlySignal } from '@preact/signals';
import type { Running, SessionClient, SessionView } from '../../client/types.ts';
import { arrange, type Arranged } from './conversation.ts';
import type { TurnWait } from '../../protocol/server-frames.ts';
import type { Message } from '../../protocol/transcript.ts';
import type { BotRef } from '../../protocol/values.ts';
import { connectionNote } from './connection.ts';
import type { Ports } from './ports.ts';
import { reasonOf, type Toasts } from './toasts.ts';
import type { Unsent } from './unsent.ts';

export interface Chat {
  readonly session: ReadonlySignal<string | null>;
  /** Null while no session is open. */
  readonly view: ReadonlySignal<SessionView | null>;
  readonly messages: ReadonlySignal<readonly Message[]>;
  /** The chat's own bot; null until it is known. */
  readonly bot: ReadonlySignal<BotRef | null>;
  readonly arranged: ReadonlySignal<Arranged>;
  readonly running: ReadonlySignal<Running | null>;
  /** Whether an answer is being made, even before its first character. */
  readonly answering: ReadonlySignal<boolean>;
  /** Why the answer does not begin yet; null once it has, and while there is none. */
  readonly wait: ReadonlySignal<TurnWait | null>;
  /** The end of the running answer was asked for and has not come yet. */
  readonly stopping: ReadonlySignal<boolean>;
  readonly loadingOlder: ReadonlySignal<boolean>;
  /** Counts what was sent from here: the reader then wants to see the end. */
  readonly sends: ReadonlySignal<number>;
  open(session: string | null): void;
  /** After a connection that ended for good: tries from the beginning. */
  reopen(): void;
  send(text: string): Promise<boolean>;
  edit(id: string, text: string): Promise<boolean>;
  cancel(id: string): Promise<boolean>;
  stop(): void;
  regenerate(): void;
  typing(): void;
  loadOlder(): Promise<void>;
  wake(): void;
}

export function createChat(ports: Ports, toasts: Toasts, unsent: Unsent): Chat {
  const view = signal<SessionView | null>(null);
  const session = signal<string | null>(null);
  const loadingOlder = signal(false);
  const sends = signal(0);
  const stopped = signal<string | null>(null);
  let client: SessionClient | null = null;
  let unsubscribe = () => {};
  let frameAsked = false;

  // Parts of the view keep their identity, so what depends on one is not computed again for another.
  const messages = computed<readonly Message[]>(() => view.value?.messages ?? NOTHING);
  const queue = computed(() => view.value?.queue ?? EMPTY_QUEUE);
  const pending = computed(() => view.value?.pending ?? NOTHING);
  const connection = computed(() => view.value?.connection ?? 'connecting');
  const running = computed(() => view.value?.running ?? null);
  const runningTurn = computed(() => running.value?.turn ?? queue.value.running?.turn ?? null);
  const runningAttempt = computed(() => running.value?.attempt ?? queue.value.running?.attempt ?? null);
  // By attempt: the same turn may be answered again later.
  const runningKey = computed(() =>
    runningTurn.value === null ? null : `${runningTurn.value}.${runningAttempt.value}`,
  );
  const arranged = computed(() => {
    const [turn, attempt] = [runningTurn.value, runningAttempt.value];
    return arrange({
      messages: messages.value,
      queue: queue.value,
      pending: pending.value,
      connection: connection.value,
      running: turn === null || attempt === null ? null : { turn, attempt },
    });
  });

  function flush(): void {
    frameAsked = false;
    if (client) view.value = client.view;
  }

  function attach(next: SessionClient): void {
    client = next;
    view.value = next.view;
    unsubscribe = next.subscribe((latest) => {
      unsent.note(latest.session, latest);
      if (frameAsked) return;
      frameAsked = true;
      ports.nextFrame(flush);
    });
  }

  function detach(): void {
    unsubscribe();
    if (client) unsent.keep(client);
    client = null;
    view.value = null;
    stopped.value = null;
    loadingOlder.value = false;
  }

  function open(id: string | null): void {
    if (id === session.peek()) return;
    detach();
    session.value = id;
    if (id !== null) attach(unsent.take(id) ?? ports.openClient(id));
  }

  return {
    session,
    view,
    messages,
    bot: computed(() => view.value?.bot ?? null),
    arranged,
    running,
    answering: computed(() => runningTurn.value !== null),
    wait: computed(() => queue.value.running?.wait ?? null),
    stopping: computed(() => runningKey.value !== null && runningKey.value === stopped.value),
    loadingOlder,
    sends,
    open,
    reopen() {
      const id = session.peek();
      session.value = null;
      open(id);
    },
    async send(text) {
      const target = client;
      if (!target) return false;
      sends.value += 1;
      try {
        await target.send(text);
      } catch (error) {
        // No button here: the text goes back to where it was written.
        const closed = target.view.connection === 'closed';
        toasts.show(`The message could not be sent: ${closed ? closedReason(target.view) : reasonOf(error)}`);
        return false;
      }
      unsent.note(target.view.session, target.view);
      return true;
    },
    edit: (id, text) => toasts.attempt('The message could not be changed', async () => client?.edit(id, text)),
    cancel: (id) => toasts.attempt('The message could not be withdrawn', async () => client?.cancel(id)),
    stop() {
      stopped.value = runningKey.peek();
      client?.stop();
    },
    regenerate: () => client?.regenerate(),
    typing: () => client?.typing(),
    async loadOlder() {
      const target = client;
      if (!target || loadingOlder.peek() || target.view.olderBefore === null) return;
      loadingOlder.value = true;
      await toasts.attempt('Earlier messages could not be loaded', () => target.loadOlder());
      if (client === target) loadingOlder.value = false;
    },
    wake() {
      client?.wake();
      unsent.wake();
    },
  };
}

/** What a person is told above the conversation; the client itself only knows that it is closed. */
function closedReason(view: SessionView): string {
  return connectionNote(view, true, Date.now()).text;
}

const NOTHING: readonly never[] = [];
const EMPTY_QUEUE: SessionView['queue'] = { running: null, waiting: [] };

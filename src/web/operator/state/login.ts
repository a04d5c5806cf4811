/** Whether this browser is an operator's. The token itself is passed on and kept nowhere. */
import { signal, type ReadonlySignal } from '@preact/signals';
import { asOperatorError } from './poll.ts';
import type { OperatorApi, OperatorError } from './ports.ts';

/** `unknown` until the server was asked; `ended`: was one, and the server says no more. */
export type LoginState = 'unknown' | 'out' | 'in' | 'ended';

export interface Login {
  readonly state: ReadonlySignal<LoginState>;
  readonly busy: ReadonlySignal<boolean>;
  /** Why the last try failed. */
  readonly failure: ReadonlySignal<OperatorError | null>;
  /** Asks the server; behind Access there is nothing to type. */
  check(): Promise<void>;
  enter(token: string): Promise<void>;
  leave(): Promise<void>;
  /** To be told of every failure: some mean that the login is over. */
  notice(error: OperatorError): void;
}

export function createLogin(api: OperatorApi): Login {
  const state = signal<LoginState>('unknown');
  const busy = signal(false);
  const failure = signal<OperatorError | null>(null);

  async function during(action: () => Promise<void>): Promise<void> {
    if (busy.peek()) return;
    busy.value = true;
    failure.value = null;
    try {
      await action();
    } catch (error) {
      failure.value = asOperatorError(error);
    } finally {
      busy.value = false;
    }
  }

  return {
    state,
    busy,
    failure,
    check: () => during(async () => void (state.value = (await api.isOperator()) ? 'in' : 'out')),
    enter: (token) =>
      during(async () => {
        await api.login(token);
        state.value = 'in';
      }),
    leave: () =>
      during(async () => {
        await api.logout();
        state.value = 'out';
      }),
    notice(error) {
      if (error.status === 401 && state.peek() === 'in') state.value = 'ended';
    },
  };
}

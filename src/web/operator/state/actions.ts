/** Launch, stop, pause, resume and delete: what they do to people, and doing them once. */
import { signal, type ReadonlySignal } from '@preact/signals';
import type { BotAction, BotState } from '../../../objects/bot-rpc.ts';
import type { Notices } from './notices.ts';
import type { Ports } from './ports.ts';
import { OperatorError } from './ports.ts';
import type { BotRow, BotView } from './shapes.ts';
import { ACTION_WORDS, many } from './words.ts';

export type Action = BotAction | 'delete';

export interface ActionTarget {
  id: string;
  name: string;
}

export interface Actions {
  /** What is under way, by bot. */
  readonly pending: ReadonlySignal<ReadonlyMap<string, Action>>;
  /** What waits for a yes or no. */
  readonly asked: ReadonlySignal<{ action: Action; bot: ActionTarget } | null>;
  /** Does it, or asks first where it takes something from people. */
  want(action: Action, bot: ActionTarget): void;
  confirm(): Promise<void>;
  dismiss(): void;
}

interface Followers {
  onChange(bot: BotView): void;
  onRemoved(id: string): void;
}

const ASKED_FIRST: readonly Action[] = ['stop', 'pause', 'delete'];

const POSSIBLE: Readonly<Record<BotState, readonly BotAction[]>> = {
  stopped: ['launch'],
  starting: ['stop'],
  running: ['pause', 'stop'],
  paused: ['resume', 'stop'],
  degraded: ['pause', 'stop'],
};

/** What makes sense in this state, most likely first. */
export function actionsIn(state: BotState): readonly BotAction[] {
  return POSSIBLE[state];
}

/** What `action` does to those who use the bot just now, as far as that is known. */
export function consequence(action: Action, bot: Pick<BotRow, 'running' | 'queued' | 'connections'>): string {
  const { running = 0, queued = 0, connections = 0 } = bot;
  const runs = many(running, 'answer is', 'answers are');
  const waits = many(queued, 'message waits', 'messages wait');
  const people = connections === 0 ? 'Nobody is connected.' : `${many(connections, 'connection')} to its sessions.`;
  if (action === 'delete') {
    const work = `${runs} being made and will be cut; ${waits} and will fail.`;
    return `${work} ${people} What operators defined is gone then; the audit log stays.`;
  }
  if (action === 'pause') {
    return `${runs} being made and will be finished; ${waits} and will stay in line until you resume. ${people}`;
  }
  return `${runs} being made and may finish within the grace period, then will be cut; ${waits} and will stay in line until the next launch. ${people}`;
}

export function createActions(api: Ports['api'], notices: Notices, followers: Followers): Actions {
  const pending = signal<ReadonlyMap<string, Action>>(new Map());
  const asked = signal<{ action: Action; bot: ActionTarget } | null>(null);

  async function perform(action: Action, { id, name }: ActionTarget): Promise<void> {
    pending.value = new Map(pending.peek()).set(id, action);
    const { verb, done } = ACTION_WORDS[action];
    try {
      if (action === 'delete') {
        await removeOnce(api, id);
        followers.onRemoved(id);
      } else {
        followers.onChange(await api.act(id, action));
      }
      notices.done(`${name} (${id}) was ${done}.`);
    } catch (error) {
      notices.failed(`${verb} ${id}`, error);
    } finally {
      const left = new Map(pending.peek());
      left.delete(id);
      pending.value = left;
    }
  }

  return {
    pending,
    asked,
    want(action, bot) {
      // The buttons are off meanwhile; a command could still ask a second time.
      if (pending.peek().has(bot.id)) return;
      if (ASKED_FIRST.includes(action)) asked.value = { action, bot };
      else void perform(action, bot);
    },
    async confirm() {
      const question = asked.peek();
      asked.value = null;
      if (question) await perform(question.action, question.bot);
    },
    dismiss() {
      asked.value = null;
    },
  };
}

async function removeOnce(api: Ports['api'], id: string): Promise<void> {
  try {
    await api.remove(id);
  } catch (error) {
    // Gone already, by somebody else or by a first try whose answer was lost: that is what was wanted.
    if (!(error instanceof OperatorError && error.code === 'bot_not_found')) throw error;
  }
}

import { Icon } from '../../ui/Icon.tsx';
import { Menu, MenuAction } from '../../ui/Menu.tsx';
import { actionsIn } from '../state/actions.ts';
import { useConsole } from '../state/context.ts';
import type { BotRow } from '../state/shapes.ts';
import { ACTION_WORDS } from '../state/words.ts';

const ICONS = { launch: 'play', stop: 'stop', pause: 'pause', resume: 'play' } as const;

/** Everything that can be done with a bot in its present state. */
export function ActionMenu({ bot }: { bot: Pick<BotRow, 'id' | 'name' | 'state'> }) {
  const { actions, router, fleet } = useConsole();
  // What configuration defines can be stopped, not deleted.
  const isConfigured = fleet.byId.value.get(bot.id)?.configured === true;
  const pending = actions.pending.value.get(bot.id);
  if (pending) return <span class="muted doing">{ACTION_WORDS[pending].doing}</span>;
  return (
    <Menu label={`Actions for ${bot.id}`}>
      {actionsIn(bot.state).map((action) => (
        <MenuAction
          key={action}
          icon={ICONS[action]}
          label={ACTION_WORDS[action].verb}
          onChoose={() => actions.want(action, bot)}
        />
      ))}
      <MenuAction icon="edit" label="Edit" onChoose={() => router.go({ page: 'edit', id: bot.id })} />
      {isConfigured ? null : (
        <MenuAction icon="trash" label="Delete" danger onChoose={() => actions.want('delete', bot)} />
      )}
    </Menu>
  );
}

/** What makes sense in the present state, as buttons. */
export function ActionButtons({ bot }: { bot: Pick<BotRow, 'id' | 'name' | 'state'> }) {
  const { actions } = useConsole();
  const pending = actions.pending.value.get(bot.id);
  return (
    <div class="action-buttons" aria-busy={pending !== undefined}>
      {actionsIn(bot.state).map((action) => (
        <button
          key={action}
          type="button"
          data-testid={action}
          disabled={pending !== undefined}
          onClick={() => actions.want(action, bot)}
        >
          <Icon name={ICONS[action]} />
          {pending === action ? ACTION_WORDS[action].doing : ACTION_WORDS[action].verb}
        </button>
      ))}
    </div>
  );
}

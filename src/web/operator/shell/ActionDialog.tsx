import { ConfirmDialog } from '../../ui/ConfirmDialog.tsx';
import { consequence } from '../state/actions.ts';
import { useConsole } from '../state/context.ts';
import { ACTION_WORDS } from '../state/words.ts';

/** Says what people would notice, by the newest numbers there are, before it happens. */
export function ActionDialog() {
  const { actions, fleet, open } = useConsole();
  const question = actions.asked.value;
  if (question === null) return null;
  const { action, bot } = question;
  const status = open.status.value;
  const known = status?.id === bot.id ? status : (fleet.byId.value.get(bot.id) ?? {});
  const { verb } = ACTION_WORDS[action];
  return (
    <ConfirmDialog
      key={`${action} ${bot.id}`}
      title={`${verb} ${bot.name}?`}
      text={consequence(action, known)}
      action={verb}
      onConfirm={() => void actions.confirm()}
      onClose={() => actions.dismiss()}
    />
  );
}

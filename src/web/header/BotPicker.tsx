import { useApp } from '../state/context.ts';
import type { BotInfo } from '../state/ports.ts';

export function BotPicker() {
  const { bots, chat, sessions } = useApp();
  const session = chat.session.value;
  const current = session === null ? bots.forNewChat.value : (chat.view.value?.bot?.id ?? null);
  const list = bots.list.value;
  const unknown = current !== null && !list.some(({ id }) => id === current);

  const choose = async (select: HTMLSelectElement) => {
    const bot = select.value;
    if (session === null) return bots.chooseForNewChat(bot);
    // Shown again as it was where the server refused; the session itself says when it changed.
    if (!(await sessions.chooseBot(session, bot))) select.value = current ?? '';
  };
  return (
    <label class="bot-picker">
      <span class="offscreen">Bot that answers</span>
      <select
        data-testid="bot-picker"
        disabled={list.length === 0 || (session !== null && current === null)}
        value={current ?? ''}
        onChange={(event) => void choose(event.currentTarget)}
      >
        {current === null ? <option value="">…</option> : null}
        {unknown ? <option value={current}>{chat.view.value?.bot?.name ?? current}</option> : null}
        {list.map((bot) => (
          <option key={bot.id} value={bot.id}>
            {labelOf(bot)}
          </option>
        ))}
      </select>
    </label>
  );
}

function labelOf({ name, model, available }: BotInfo): string {
  const label = name === model ? name : `${name} (${model})`;
  return available === false ? `${label}: not installed` : label;
}

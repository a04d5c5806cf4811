import { useEffect, useRef } from 'preact/hooks';
import { stateWords } from '../state/bot-words.ts';
import { useApp } from '../state/context.ts';
import { Icon } from '../ui/Icon.tsx';
import { lazy } from '../ui/lazy.tsx';

const PANEL_ID = 'bot-panel';
const BotPanel = lazy((later) => later.BotPanel);

/** Says which bot answers, and opens the list of all. */
export function BotPicker() {
  const { bots, chat } = useApp();
  const panel = useRef<HTMLDivElement>(null);
  const session = chat.session.value;
  const bot = useCurrent();
  const state = bot === null ? '' : stateWords({ available: null, state: 'running', ...bots.find(bot.id) });
  const picking = bots.picking.value;

  // Also opened from elsewhere: where a bot failed, another one is offered.
  useEffect(() => {
    // Some browsers refuse to open what is open.
    if (picking && panel.current?.matches(':popover-open') === false) panel.current.showPopover();
  }, [picking]);
  return (
    <>
      <button
        type="button"
        class="bot-picker"
        data-testid="bot-picker"
        aria-haspopup="dialog"
        aria-expanded={picking}
        disabled={bot === null}
        popovertarget={PANEL_ID}
      >
        <span class="offscreen">Bot that answers: </span>
        <span class="bot-name">{bot?.name ?? '…'}</span>
        {state === '' ? null : <span class="badge">{state}</span>}
        <Icon name="chevron" />
      </button>
      <div
        ref={panel}
        id={PANEL_ID}
        class="bot-panel"
        role="dialog"
        aria-label="Choose a bot"
        popover="auto"
        onToggle={(event) => (bots.picking.value = event.newState === 'open')}
      >
        {picking ? (
          <BotPanel session={session} current={bot?.id ?? null} onClose={() => panel.current?.hidePopover()} />
        ) : null}
      </div>
    </>
  );
}

/** The chat's bot, or that of the next new chat. */
function useCurrent(): { id: string; name: string } | null {
  const { bots, chat } = useApp();
  if (chat.session.value !== null) return chat.bot.value;
  const id = bots.forNewChat.value;
  return id === null ? null : (bots.find(id) ?? null);
}

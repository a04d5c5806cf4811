import { useComputed, useSignal } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import { matchingBots, stateWords } from '../state/bot-words.ts';
import { useApp } from '../state/context.ts';
import type { BotInfo } from '../state/ports.ts';
import { isComposing } from '../ui/composing.ts';

/** While the list is looked at, states are read again this often. */
const REFRESH_MS = 10_000;
/** Drawn at once, and more of them whenever the end comes near. */
const STEP = 60;
const NEAR_END_PX = 200;
const LIST_ID = 'bot-list';

interface Props {
  session: string | null;
  current: string | null;
  /** Closes the popover itself: the browser then gives the focus back. */
  onClose: () => void;
}

export function BotPanel({ session, current, onClose }: Props) {
  const { bots, sessions } = useApp();
  const typed = useSignal('');
  const shown = useSignal(STEP);
  const active = useSignal(-1);
  const input = useRef<HTMLInputElement>(null);
  const list = useRef<HTMLUListElement>(null);
  const found = useComputed(() => matchingBots(bots.list.value, typed.value));
  const drawn = found.value.slice(0, shown.value);

  useEffect(() => {
    void bots.load();
    const timer = setInterval(() => void bots.load(), REFRESH_MS);
    // A finger that wants to scroll should not meet a keyboard.
    if (matchMedia('(hover: hover)').matches) input.current?.focus();
    else list.current?.focus();
    return () => clearInterval(timer);
  }, []);
  useEffect(() => {
    list.current?.querySelector('[data-active]')?.scrollIntoView({ block: 'nearest' });
  }, [active.value]);

  const choose = (bot: BotInfo) => {
    onClose();
    if (session === null) bots.chooseForNewChat(bot.id);
    else if (bot.id !== current) void sessions.chooseBot(session, bot.id);
  };
  const more = () => {
    if (shown.value < found.value.length) shown.value += STEP;
    else if (bots.hasMore.value && !bots.loading.value) void bots.loadMore();
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (isComposing(event)) return;
    const step = event.key === 'ArrowDown' ? 1 : event.key === 'ArrowUp' ? -1 : 0;
    if (step !== 0) {
      event.preventDefault();
      active.value = Math.max(0, Math.min(active.value + step, found.value.length - 1));
      if (active.value >= shown.value - 1) more();
    }
    const bot = found.value[active.value];
    if (event.key === 'Enter' && bot) {
      event.preventDefault();
      choose(bot);
    }
  };
  return (
    <>
      <input
        ref={input}
        type="text"
        enterkeyhint="done"
        class="bot-search"
        data-testid="bot-search"
        role="combobox"
        aria-label="Search bots"
        aria-autocomplete="list"
        aria-expanded
        aria-controls={LIST_ID}
        aria-activedescendant={drawn[active.value] ? optionId(active.value) : undefined}
        placeholder="Search bots"
        value={typed}
        onInput={(event) => {
          typed.value = event.currentTarget.value;
          shown.value = STEP;
          active.value = typed.value.trim() === '' ? -1 : 0;
          list.current?.scrollTo(0, 0);
          // What is searched are all of them, not those that happen to be loaded.
          if (bots.hasMore.peek()) void bots.loadAll();
        }}
        onKeyDown={onKeyDown}
      />
      <ul
        ref={list}
        id={LIST_ID}
        class="plain-list bot-list"
        role="listbox"
        aria-label="Bots"
        tabIndex={-1}
        onScroll={(event) => {
          const { scrollHeight, scrollTop, clientHeight } = event.currentTarget;
          if (scrollHeight - scrollTop - clientHeight < NEAR_END_PX) more();
        }}
      >
        {drawn.map((bot, index) => (
          <li
            key={bot.id}
            id={optionId(index)}
            class="option"
            role="option"
            aria-selected={bot.id === current}
            aria-setsize={bots.hasMore.value ? -1 : found.value.length}
            aria-posinset={index + 1}
            data-active={index === active.value ? true : undefined}
            data-testid="bot-option"
            onClick={() => choose(bot)}
          >
            <span class="option-label">{bot.name}</span>
            <span class="option-detail">{bot.name === bot.model ? '' : bot.model}</span>
            <StateBadge bot={bot} />
          </li>
        ))}
      </ul>
      <p class="list-note" role="status">
        {note(found.value.length, bots.loading.value && bots.hasMore.value, bots.hasMore.value)}
      </p>
    </>
  );
}

function StateBadge({ bot }: { bot: BotInfo }) {
  const words = stateWords(bot);
  return words === '' ? null : <span class="badge">{words}</span>;
}

function optionId(index: number): string {
  return `bot-${index}`;
}

function note(count: number, reading: boolean, more: boolean): string {
  if (reading) return 'Loading…';
  if (count === 0) return 'No bot fits.';
  return `${count}${more ? '+' : ''} ${count === 1 ? 'bot' : 'bots'}`;
}

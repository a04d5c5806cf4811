import { useEffect, useRef } from 'preact/hooks';
import type { BotState } from '../../../objects/bot-rpc.ts';
import { Icon } from '../../ui/Icon.tsx';
import { useConsole } from '../state/context.ts';
import { hrefOf } from '../state/router.ts';
import { SORTS, type Sort } from '../state/selection.ts';
import { STATE_WORDS } from '../state/words.ts';
import { isTyping } from '../../ui/typing.ts';

const SORT_WORDS: Readonly<Record<Sort, string>> = {
  attention: 'What needs attention',
  name: 'Name',
  state: 'State',
  model: 'Model',
  running: 'Running',
  queued: 'Queue',
  connections: 'Connections',
  errors: 'Errors',
  p95: 'First token',
  uptime: 'Uptime',
};
const STATES: readonly BotState[] = ['degraded', 'starting', 'running', 'paused', 'stopped'];

/** `onDown`: from the search field into the list. */
export function Toolbar({ onDown }: { onDown: () => void }) {
  const { selection, fleet } = useConsole();
  const input = useRef<HTMLInputElement>(null);
  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      if (event.key !== 'f' || event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target)) return;
      event.preventDefault();
      input.current?.focus();
    };
    addEventListener('keydown', onKey);
    return () => removeEventListener('keydown', onKey);
  }, []);
  const shown = selection.shown.value.length;
  const all = fleet.bots.value.length;
  return (
    <div class="toolbar">
      <h1 class="offscreen">Bots</h1>
      <div class="search-box" role="search">
        <Icon name="search" />
        <input
          ref={input}
          type="search"
          data-testid="filter"
          aria-label="Search bots by name, id, model or state"
          aria-keyshortcuts="f"
          placeholder="Search bots"
          value={selection.text}
          onInput={(event) => (selection.text.value = event.currentTarget.value)}
          onKeyDown={(event) => {
            if (event.key === 'Escape') selection.text.value = '';
            if (event.key !== 'ArrowDown') return;
            event.preventDefault();
            onDown();
          }}
        />
      </div>
      <div class="state-filter" role="group" aria-label="Only bots that are">
        <StateButton state={null} words="All" count={all} />
        {STATES.map((state) => (
          <StateButton key={state} state={state} words={STATE_WORDS[state]} count={selection.counts.value[state]} />
        ))}
      </div>
      <SortChoice />
      <span class="muted shown-count" data-testid="shown" role="status">
        {shown === all ? '' : `${shown} of ${all}`}
      </span>
      <a class="button primary small" href={hrefOf({ page: 'new' })} data-testid="new-bot">
        <Icon name="plus" />
        New bot
      </a>
    </div>
  );
}

function StateButton({ state, words, count }: { state: BotState | null; words: string; count: number }) {
  const { selection } = useConsole();
  const isChosen = selection.state.value === state;
  return (
    <button
      type="button"
      class="quiet small"
      aria-pressed={isChosen}
      data-testid={`only-${state ?? 'all'}`}
      onClick={() => (selection.state.value = isChosen ? null : state)}
    >
      {words} <span class="muted">{count}</span>
    </button>
  );
}

function SortChoice() {
  const { selection } = useConsole();
  return (
    <label class="sort-choice">
      <span class="muted">Sort</span>
      <select
        value={selection.sort.value}
        data-testid="sort"
        onChange={(event) => {
          const chosen = SORTS.find((sort) => sort === event.currentTarget.value);
          if (chosen && chosen !== selection.sort.value) selection.sortBy(chosen);
        }}
      >
        {SORTS.map((sort) => (
          <option key={sort} value={sort}>
            {SORT_WORDS[sort]}
          </option>
        ))}
      </select>
    </label>
  );
}

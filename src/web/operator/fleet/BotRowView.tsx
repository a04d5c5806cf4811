import { ActionMenu } from '../shell/ActionMenu.tsx';
import type { FleetBot } from '../state/fleet.ts';
import { hrefOf } from '../state/router.ts';
import { StateMark } from '../ui/StateMark.tsx';
import { COLUMNS } from './columns.ts';

/** Columns that are muted where nothing happened lately and an older value stands in. */
const RECENT_COLUMNS = new Set(['errors', 'p95']);

interface Props {
  bot: FleetBot;
  /** From 1, among all that are listed. */
  place: number;
  topPx: number;
}

export function BotRowView({ bot, place, topPx }: Props) {
  const firing = (bot.alerts ?? []).filter(({ resolvedAt }) => resolvedAt === null);
  return (
    <div
      class="bot-row"
      role="row"
      aria-rowindex={place + 1}
      data-testid="bot-row"
      data-bot={bot.id}
      data-state={bot.state}
      style={{ transform: `translateY(${topPx}px)` }}
    >
      <span role="cell" class="cell-state" title={bot.because ?? undefined}>
        <StateMark state={bot.state} />
      </span>
      <span role="cell" class="cell-name">
        <a href={hrefOf({ page: 'bot', id: bot.id })} data-row-link>
          {bot.name}
        </a>
        <code class="muted">{bot.id}</code>
        {firing.length === 0 ? null : (
          <span class="badge" title={firing.map(({ rule }) => rule).join(', ')}>
            {firing.length}
            <span class="offscreen"> firing</span>
          </span>
        )}
      </span>
      {COLUMNS.map(({ sort, label, isNumber, value }) => (
        <span
          key={sort}
          role="cell"
          class={isNumber ? 'cell-number' : 'cell-text'}
          data-column={sort}
          data-old={RECENT_COLUMNS.has(sort) && !bot.isRecent ? '' : undefined}
        >
          {label === '' ? null : (
            <span class="cell-label" aria-hidden="true">
              {label}{' '}
            </span>
          )}
          {value(bot)}
        </span>
      ))}
      <span role="cell" class="cell-menu">
        <ActionMenu bot={bot} />
      </span>
    </div>
  );
}

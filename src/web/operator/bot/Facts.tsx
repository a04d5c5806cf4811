import { percentile } from '../../../metrics/histogram.ts';
import { failuresOf } from '../state/history.ts';
import type { BotStatus } from '../state/shapes.ts';
import { count, duration, share, UNKNOWN } from '../state/words.ts';

const BREAKER_WORDS = {
  closed: 'Closed',
  open: 'Open: turns wait',
  'half-open': 'Half-open: probing',
} as const;

interface Fact {
  name: string;
  value: string;
  more?: string;
  isBad?: boolean;
}

/** The bot in numbers, as they are now and over its life. */
export function Facts({ status }: { status: BotStatus }) {
  return (
    <dl class="facts" data-testid="facts">
      {factsOf(status).map(({ name, value, more, isBad }) => (
        <div key={name} class="fact" data-bad={isBad ? '' : undefined}>
          <dt>{name}</dt>
          <dd>
            {value}
            {more ? <small>{more}</small> : null}
          </dd>
        </div>
      ))}
    </dl>
  );
}

function factsOf(status: BotStatus): Fact[] {
  const { stats, slots, running, queued, breaker, queueLimit } = status;
  const failed = failuresOf(stats);
  const turns = stats.replies + stats.stopped + failed;
  const p95 = (histogram: typeof stats.total) => duration(percentile(histogram, 0.95));
  return [
    {
      name: 'Slots',
      value: slots === null ? `${count(running)} running` : `${count(running)} of ${count(slots)}`,
      more: slots === null ? 'no limit' : 'in use',
    },
    {
      name: 'Line',
      value: `${count(queued)} ${queued === 1 ? 'waits' : 'wait'}`,
      more: `${queueLimit == null ? '' : `room for ${count(queueLimit)} · `}p95 wait ${p95(stats.waited)}`,
    },
    { name: 'Connections', value: count(status.connections), more: `${count(stats.silentCloses)} closed for silence` },
    {
      name: 'Breaker',
      value: BREAKER_WORDS[breaker],
      more: `opened ${count(stats.breakerOpened)} ${stats.breakerOpened === 1 ? 'time' : 'times'}`,
      isBad: breaker !== 'closed',
    },
    { name: 'Uptime', value: status.uptimeMs > 0 ? duration(status.uptimeMs) : UNKNOWN, more: 'since the launch' },
    { name: 'Revision', value: String(status.revision), more: 'of the definition' },
    {
      name: 'Turns',
      value: count(turns),
      more: `${count(stats.stopped)} stopped, ${count(failed)} failed (${share(turns === 0 ? null : failed / turns)})`,
    },
    { name: 'Tokens', value: count(stats.answerTokens), more: `answered to ${count(stats.promptTokens)}` },
    { name: 'p95 first token', value: p95(stats.firstToken), more: `p95 in all ${p95(stats.total)}` },
    { name: 'p95 our share', value: p95(stats.overhead), more: 'beside the model' },
    {
      name: 'Undelivered',
      value: stats.undeliveredMs === 0 ? 'None' : duration(stats.undeliveredMs),
      more: `oldest record for D1 · ${count(stats.rowsWritten)} rows written`,
    },
    { name: 'Begun again', value: count(stats.restarts), more: 'turns, after a crash' },
  ];
}

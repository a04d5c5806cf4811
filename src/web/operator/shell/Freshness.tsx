import { useConsole } from '../state/context.ts';
import { ago, duration } from '../state/words.ts';

/** Older than this is not live any more: three polls were missed. */
const STALE_MS = 6_000;
/** What is polled less often is stale later. */
const SLOW_STALE_MS = 25_000;

type State = 'waiting' | 'live' | 'stale' | 'silent';

/** How old what is shown is, and whether the server still answers. */
export function Freshness() {
  const { shownPoll, fleet, now, visible, router } = useConsole();
  const poll = shownPoll.value ?? fleet.poll;
  const answeredAt = poll.answeredAt.value;
  const failure = poll.failure.value;
  // That there is no such bot is an answer.
  const error = failure?.status === 404 ? null : failure;
  const isLive = router.route.value.page === 'bots' || router.route.value.page === 'bot';
  const age = answeredAt === null ? null : Math.max(0, now.value - answeredAt);
  const isOld = age !== null && age > (isLive ? STALE_MS : SLOW_STALE_MS);
  const state: State = error ? 'silent' : age === null ? 'waiting' : isOld && visible.value ? 'stale' : 'live';
  const words = {
    waiting: 'Loading',
    live: 'Live',
    stale: `Stale: from ${age === null ? '' : duration(age)} ago`,
    silent: `${error?.message ?? ''}${answeredAt === null ? '' : ` Shown: ${ago(answeredAt, now.value)}.`}`,
  }[state];
  return (
    <div class="freshness" data-testid="freshness" data-state={state}>
      <span class="dot" aria-hidden="true" />
      <span>{words}</span>
      {state === 'silent' || state === 'stale' ? (
        <button type="button" class="quiet small" onClick={() => void poll.refresh()}>
          Ask again
        </button>
      ) : null}
      {/* Said once when it changes, not every second. */}
      <span class="offscreen" role="status">
        {state === 'silent' ? 'The server does not answer.' : state === 'stale' ? 'What is shown is old.' : ''}
      </span>
    </div>
  );
}

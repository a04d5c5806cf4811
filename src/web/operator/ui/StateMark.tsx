import type { BotState } from '../../../objects/bot-rpc.ts';
import { STATE_WORDS } from '../state/words.ts';

/** A shape for each state, so that it is told without color, too. On a 12 px grid. */
const SHAPES: Readonly<Record<BotState, string>> = {
  running: 'M6 1a5 5 0 1 1 0 10A5 5 0 0 1 6 1z',
  degraded: 'M6 .8 11.6 11H.4z',
  starting: 'M6 1a5 5 0 0 1 0 10zM6 1a5 5 0 0 0 0 10V9.5a3.5 3.5 0 0 1 0-7z',
  paused: 'M2 1.5h3v9H2zM7 1.5h3v9H7z',
  stopped: 'M1.5 1.5h9v9h-9zM3 3v6h6V3z',
};

export function StateMark({ state }: { state: BotState }) {
  return (
    <span class="state-mark" data-state={state}>
      <svg viewBox="0 0 12 12" aria-hidden="true" focusable="false">
        <path fill-rule="evenodd" d={SHAPES[state]} />
      </svg>
      {STATE_WORDS[state]}
    </span>
  );
}

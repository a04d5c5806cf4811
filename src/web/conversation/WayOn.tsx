import type { BotMessage } from '../../protocol/transcript.ts';
import { useApp } from '../state/context.ts';
import { isAboutBot } from '../state/failures.ts';

/** After the last answer failed: the same again, or another bot where this one is the reason. */
export function WayOn({ message }: { message: BotMessage }) {
  const { bots, chat } = useApp();
  return (
    <>
      {isAboutBot(message.error?.code) ? (
        <button type="button" class="small" data-testid="other-bot" onClick={() => (bots.picking.value = true)}>
          Choose another bot
        </button>
      ) : null}
      <button type="button" class="small" data-testid="try-again" onClick={() => chat.regenerate()}>
        Try again
      </button>
    </>
  );
}

import type { BotMessage } from '../../protocol/transcript.ts';
import { useApp } from '../state/context.ts';
import { Icon } from '../ui/Icon.tsx';

/** How an answer ended, where it did not simply end. */
export function AnswerEnd({ message, last }: { message: BotMessage; last: boolean }) {
  const { chat } = useApp();
  if (message.status === 'stopped') return <p class="answer-note">Stopped</p>;
  if (message.finish === 'length') return <p class="answer-note">The answer was cut: it reached its longest length.</p>;
  if (message.status !== 'failed') return null;
  return (
    <div class="failure" data-testid="failure" data-code={message.error?.code}>
      <Icon name="warning" />
      <p>
        {message.error?.message ?? 'The answer failed.'} <code>{message.error?.code}</code>
      </p>
      {last ? (
        <button type="button" class="small" data-testid="try-again" onClick={() => chat.regenerate()}>
          Try again
        </button>
      ) : null}
    </div>
  );
}

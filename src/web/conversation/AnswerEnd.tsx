import type { ComponentChildren } from 'preact';
import type { BotMessage } from '../../protocol/transcript.ts';
import { failureSentence } from '../state/failures.ts';
import { Icon } from '../ui/Icon.tsx';

interface Props {
  message: BotMessage;
  /** The name of who should have answered. */
  bot: string;
  /** What can be done about a failure. */
  children?: ComponentChildren;
}

/** How an answer ended, where it did not simply end. */
export function AnswerEnd({ message, bot, children }: Props) {
  const { status, finish, error } = message;
  if (status === 'stopped') return <p class="answer-note">Stopped</p>;
  if (finish === 'length') return <p class="answer-note">The answer was cut: it reached its longest length.</p>;
  if (status !== 'failed') return null;
  return (
    <div class="failure" data-testid="failure" data-code={error?.code}>
      <Icon name="warning" />
      <p>
        {failureSentence(error?.code, error?.message ?? 'The answer failed.', bot)} <code>{error?.code}</code>
      </p>
      {children}
    </div>
  );
}

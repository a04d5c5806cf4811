import type { BotMessage } from '../../protocol/transcript.ts';
import { useApp } from '../state/context.ts';
import { isoTime, messageTime } from '../state/words.ts';
import { CopyButton } from '../ui/CopyButton.tsx';
import { Icon } from '../ui/Icon.tsx';

export function AnswerFooter({ message, last }: { message: BotMessage; last: boolean }) {
  const { chat } = useApp();
  const { text, at, model, status } = message;
  return (
    <footer class={last ? 'message-footer shown' : 'message-footer'}>
      {text === '' ? null : <CopyButton text={text} label="Copy answer" />}
      {last && status !== 'failed' ? (
        <button
          type="button"
          class="quiet small"
          data-testid="regenerate"
          aria-label="Ask for another answer"
          title="Ask for another answer"
          onClick={() => chat.regenerate()}
        >
          <Icon name="refresh" />
        </button>
      ) : null}
      <span class="message-detail">
        {model === undefined ? null : <span>{model}</span>}
        <time dateTime={isoTime(at)}>{messageTime(at, Date.now())}</time>
      </span>
    </footer>
  );
}

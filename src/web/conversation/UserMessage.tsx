import type { Pending } from '../../client/types.ts';
import type { UserMessage } from '../../protocol/transcript.ts';
import { isoTime, messageTime } from '../state/words.ts';
import { CopyButton } from '../ui/CopyButton.tsx';

/** `label`: who said it, for who cannot see the side it stands on. */
export function UserMessageView({ message, label = 'You' }: { message: UserMessage; label?: string }) {
  const { id, seq, text, at, status } = message;
  return (
    <article
      class="message user"
      aria-label={label}
      tabIndex={-1}
      data-testid="message"
      data-role="user"
      data-key={id}
      data-seq={seq}
      data-status={status}
    >
      <div class="bubble">{text}</div>
      <footer class="message-footer">
        <CopyButton text={text} label="Copy message" />
        <time dateTime={isoTime(at)}>{messageTime(at, Date.now())}</time>
      </footer>
    </article>
  );
}

/** The first moments of a message: shown where it will be, marked as not there yet. */
export function SendingMessage({ pending }: { pending: Pending }) {
  return (
    <article
      class="message user sending"
      aria-label="You, sending"
      data-testid="pending-item"
      data-key={pending.id}
      data-state="sending"
    >
      <div class="bubble">{pending.text}</div>
      <footer class="message-footer shown">Sending…</footer>
    </article>
  );
}

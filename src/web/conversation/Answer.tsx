import type { BotMessage } from '../../protocol/transcript.ts';
import { Markdown } from '../markdown/Markdown.tsx';
import { useApp } from '../state/context.ts';
import { AnswerEnd } from './AnswerEnd.tsx';
import { AnswerFooter } from './AnswerFooter.tsx';
import { Thinking } from './Thinking.tsx';

interface Props {
  entryKey: string;
  /** Null while it is running. */
  message: BotMessage | null;
  last: boolean;
}

/** An answer, from its first character on; the same element stays when it is complete. */
export function Answer({ entryKey, message, last }: Props) {
  const { chat } = useApp();
  if (message?.status === 'superseded') return <EarlierAnswer message={message} />;
  const running = message === null ? chat.running.value : null;
  const text = message?.text ?? running?.text ?? '';
  const thinking = message?.thinking ?? running?.thinking ?? '';
  const complete = message !== null;
  return (
    <article
      class={complete ? 'message bot' : 'message bot running'}
      aria-label="Answer"
      aria-busy={!complete}
      tabIndex={-1}
      data-testid={complete ? 'message' : 'running'}
      data-role="bot"
      data-key={entryKey}
      data-seq={message?.seq}
      data-status={message?.status ?? 'running'}
    >
      {thinking === '' ? null : <Thinking text={thinking} live={!complete && text === ''} />}
      {text === '' ? null : <Markdown text={text} complete={complete} />}
      {!complete && text === '' && thinking === '' ? <Waiting /> : null}
      {message === null ? null : (
        <>
          <AnswerEnd message={message} last={last} />
          <AnswerFooter message={message} last={last} />
        </>
      )}
    </article>
  );
}

function Waiting() {
  return (
    <p class="waiting">
      <span class="offscreen">Waiting for the answer</span>
      <i />
      <i />
      <i />
    </p>
  );
}

/** An answer that another one was asked for. Kept, out of the way. */
function EarlierAnswer({ message }: { message: BotMessage }) {
  if (message.text === '') return null;
  return (
    <details
      class="earlier"
      data-testid="message"
      data-role="bot"
      data-key={message.id}
      data-seq={message.seq}
      data-status="superseded"
    >
      <summary>Earlier answer</summary>
      <Markdown text={message.text} complete />
    </details>
  );
}

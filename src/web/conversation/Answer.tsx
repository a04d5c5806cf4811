import type { BotMessage } from '../../protocol/transcript.ts';
import { Markdown } from '../markdown/Markdown.tsx';
import { answerer, otherAnswerer } from '../state/answerer.ts';
import { useApp } from '../state/context.ts';
import { waitSentence } from '../state/waiting.ts';
import { AnswerEnd } from './AnswerEnd.tsx';
import { AnswerFooter } from './AnswerFooter.tsx';
import { Thinking } from './Thinking.tsx';
import { WayOn } from './WayOn.tsx';

interface Props {
  entryKey: string;
  turn: number;
  /** Null while it is running. */
  message: BotMessage | null;
  last: boolean;
}

/** An answer, from its first character on; the same element stays when it is complete. */
export function Answer({ entryKey, turn, message, last }: Props) {
  const { bots, chat } = useApp();
  if (message?.status === 'superseded') return <EarlierAnswer message={message} />;
  const running = message === null ? chat.running.value : null;
  const text = message?.text ?? running?.text ?? '';
  const thinking = message?.thinking ?? running?.thinking ?? '';
  const complete = message !== null;
  const other = otherAnswerer({ chat, bots }, turn, message);
  return (
    <article
      class={complete ? 'message bot' : 'message bot running'}
      aria-label={other === null ? 'Answer' : `Answer of ${other}`}
      aria-busy={!complete}
      tabIndex={-1}
      data-testid={complete ? 'message' : 'running'}
      data-role="bot"
      data-key={entryKey}
      data-seq={message?.seq}
      data-status={message?.status ?? 'running'}
    >
      {other === null ? null : (
        <p class="answered-by" data-testid="answered-by">
          {other}
        </p>
      )}
      {thinking === '' ? null : <Thinking text={thinking} live={!complete && text === ''} />}
      {text === '' ? null : <Markdown text={text} complete={complete} />}
      {complete ? null : <Waiting turn={turn} begun={text !== '' || thinking !== ''} />}
      {message === null ? null : (
        <>
          <AnswerEnd message={message} bot={answerer({ chat, bots }, turn, message)}>
            {last ? <WayOn message={message} /> : null}
          </AnswerEnd>
          <AnswerFooter message={message} last={last} />
        </>
      )}
    </article>
  );
}

/** Why nothing comes yet; the status region reads it out, this is for who looks. */
function Waiting({ turn, begun }: { turn: number; begun: boolean }) {
  const { bots, chat } = useApp();
  const wait = chat.wait.value;
  if (wait !== null) {
    return (
      <p class="wait-note" data-testid="wait" data-reason={wait.reason} data-place={wait.place}>
        {waitSentence(wait, answerer({ chat, bots }, turn, null))}
      </p>
    );
  }
  if (begun) return null;
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

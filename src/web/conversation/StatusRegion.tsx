import { useSignal } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import type { BotMessage } from '../../protocol/transcript.ts';
import { useApp } from '../state/context.ts';

/** Tells screen readers when an answer begins and how it ended; never what came in between. */
export function StatusRegion() {
  const { chat } = useApp();
  const words = useSignal('');
  const answering = chat.answering.value;
  const session = chat.session.value;
  const before = useRef({ answering: false, session });
  useEffect(() => {
    const { answering: was, session: where } = before.current;
    before.current = { answering, session };
    if (where !== session) words.value = '';
    else if (answering && !was) words.value = 'The answer has started';
    else if (was && !answering) words.value = ending(chat.view.peek()?.messages.findLast(isAnswer));
  }, [answering, session]);
  return (
    <p class="offscreen" role="status" data-testid="status">
      {words}
    </p>
  );
}

function isAnswer(message: { role: string }): message is BotMessage {
  return message.role === 'bot';
}

function ending(message: BotMessage | undefined): string {
  if (message?.status === 'failed') return `The answer failed: ${message.error?.message ?? ''}`;
  return message?.status === 'stopped' ? 'The answer was stopped' : 'The answer is complete';
}

import { useSignal } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import type { BotMessage } from '../../protocol/transcript.ts';
import { answerer } from '../state/answerer.ts';
import type { App } from '../state/app.ts';
import { useApp } from '../state/context.ts';
import { failureSentence } from '../state/failures.ts';
import { spoken } from '../state/notes.ts';
import { waitSentence, waitStep } from '../state/waiting.ts';

/**
 * Tells screen readers why an answer waits, when it begins, how it ended, and what a command
 * brought; never every token, and never every place in a line.
 */
export function StatusRegion() {
  const app = useApp();
  const { chat, notes } = app;
  const words = useSignal('');
  const session = chat.session.value;
  const wait = chat.wait.value;
  const phase = !chat.answering.value ? 'idle' : wait === null ? 'answering' : waitStep(wait);
  const ended = chat.messages.value.findLast(isAnswer)?.id;
  const before = useRef({ phase, session, ended, sends: 0 });
  useEffect(() => {
    const was = before.current;
    const sends = chat.sends.peek();
    // A failure may come at once, before any frame showed that an answer was begun.
    const isQuick = ended !== was.ended && sends > was.sends;
    before.current = { phase, session, ended, sends: phase === 'idle' ? sends : was.sends };
    if (was.session !== session) words.value = '';
    else if (phase !== 'idle') {
      if (phase !== was.phase) words.value = phase === 'answering' ? 'The answer has started' : waiting(app);
    } else if (was.phase !== 'idle' || isQuick) words.value = ending(app);
  }, [phase, session, ended]);

  const note = notes.newest.value;
  useEffect(() => {
    if (note !== null) words.value = spoken(note);
  }, [note]);
  return (
    <p class="offscreen" role="status" data-testid="status">
      {words}
    </p>
  );
}

function isAnswer(message: { role: string }): message is BotMessage {
  return message.role === 'bot';
}

function waiting({ bots, chat }: App): string {
  const wait = chat.wait.peek();
  const turn = chat.view.peek()?.queue.running?.turn ?? 0;
  return wait === null ? '' : waitSentence(wait, answerer({ chat, bots }, turn, null));
}

function ending({ bots, chat }: App): string {
  const message = chat.messages.peek().findLast(isAnswer);
  if (message?.status === 'stopped') return 'The answer was stopped';
  if (message?.status !== 'failed') return 'The answer is complete';
  const { error, turn } = message;
  return `The answer failed: ${failureSentence(error?.code, error?.message ?? '', answerer({ chat, bots }, turn, message))}`;
}

/** A conversation that somebody shared: to be read, by whoever has the link, until it ends. */
import { useSignal, type Signal } from '@preact/signals';
import { render } from 'preact';
import { useEffect } from 'preact/hooks';
import { ApiError } from '../../client/http.ts';
import { createShareApi, type SharedPage } from '../../client/share-api.ts';
import type { BotMessage } from '../../protocol/transcript.ts';
import { AnswerEnd } from '../conversation/AnswerEnd.tsx';
import { OlderMessages } from '../conversation/OlderMessages.tsx';
import { Thinking } from '../conversation/Thinking.tsx';
import { UserMessageView } from '../conversation/UserMessage.tsx';
import { Markdown } from '../markdown/Markdown.tsx';
import { arrange, type Entry } from '../state/conversation.ts';
import { reasonOf } from '../state/toasts.ts';
import { isoTime, momentOf, titleOr } from '../state/words.ts';

const MESSAGES_PER_PAGE = 50;
/** How often it is looked whether the link has ended. */
const EXPIRY_CHECK_MS = 15_000;
const api = createShareApi();

type State =
  | { kind: 'loading' }
  | { kind: 'over' }
  | { kind: 'failed'; reason: string }
  | { kind: 'shown'; page: SharedPage };

export function show(token: string): void {
  render(<Shared token={token} />, document.body);
}

function Shared({ token }: { token: string }) {
  const state = useSignal<State>({ kind: 'loading' });
  const older = useOlder(token, state);
  const load = () =>
    api.read(token, { limit: MESSAGES_PER_PAGE }).then(
      (page) => {
        state.value = { kind: 'shown', page };
        document.title = `${titleOr(page.title)} · Switchboard`;
      },
      (error: unknown) => (state.value = stateAfter(error)),
    );
  useEffect(() => void load(), [token]);

  const expiresAt = state.value.kind === 'shown' ? state.value.page.expiresAt : null;
  useEffect(() => {
    if (expiresAt === null) return;
    // The server says whether it is over; this machine's clock only when to ask.
    const timer = setInterval(() => void (Date.now() >= expiresAt && load()), EXPIRY_CHECK_MS);
    return () => clearInterval(timer);
  }, [expiresAt]);

  switch (state.value.kind) {
    case 'loading':
      return <Message title="One moment…" text="The shared chat is being opened." />;
    case 'over':
      return (
        <Message
          title="This link is over"
          text="It has expired, or the person who shared the chat took it back. Ask them for a new one."
        />
      );
    case 'failed':
      return <Message title="This chat could not be opened" text={state.value.reason} onRetry={() => void load()} />;
    case 'shown':
      return <Conversation page={state.value.page} older={older} />;
  }
}

interface Older {
  loading: boolean;
  failure: string;
  load: () => Promise<void>;
}

/** Puts the page before what is shown in front of it. */
function useOlder(token: string, state: Signal<State>): Older {
  const loading = useSignal(false);
  const failure = useSignal('');
  const load = async () => {
    const from = state.peek();
    if (from.kind !== 'shown' || from.page.nextCursor === null || loading.peek()) return;
    loading.value = true;
    failure.value = '';
    try {
      const before = await api.read(token, { before: from.page.nextCursor, limit: MESSAGES_PER_PAGE });
      const messages = [...before.messages, ...from.page.messages];
      state.value = { kind: 'shown', page: { ...before, messages } };
    } catch (error) {
      const after = stateAfter(error);
      if (after.kind === 'over') state.value = after;
      else failure.value = `Earlier messages could not be loaded: ${reasonOf(error)}`;
    }
    loading.value = false;
  };
  return { loading: loading.value, failure: failure.value, load };
}

/** Whether a link never was, has expired or was taken back is not for its reader to know. */
function stateAfter(error: unknown): State {
  const isOver = error instanceof ApiError && (error.status === 404 || error.status === 410);
  return isOver ? { kind: 'over' } : { kind: 'failed', reason: reasonOf(error) };
}

function Message({ title, text, onRetry }: { title: string; text: string; onRetry?: () => void }) {
  return (
    <main class="shared">
      <div class="welcome" role="status" data-testid="shared-state">
        <div>
          <h2>{title}</h2>
          <p>{text}</p>
          {onRetry ? (
            <button type="button" class="button" onClick={onRetry}>
              Try again
            </button>
          ) : null}
        </div>
      </div>
    </main>
  );
}

function Conversation({ page, older }: { page: SharedPage; older: Older }) {
  const { title, bot, expiresAt, messages, nextCursor } = page;
  const queue = { running: null, waiting: [] };
  const { entries } = arrange({ messages, queue, pending: [], connection: 'live', running: null });
  return (
    <main class="shared">
      <header class="shared-header">
        <h1>{titleOr(title)}</h1>
        <p>
          A shared chat with {bot.name}, to read only. The link ends{' '}
          <time dateTime={isoTime(expiresAt)}>{momentOf(expiresAt)}</time>.
        </p>
      </header>
      <div class="messages" role="log" aria-live="off" aria-label="Conversation" data-testid="messages">
        {nextCursor === null ? null : <OlderMessages loading={older.loading} onLoad={() => void older.load()} />}
        <p class="error-text" role="alert">
          {older.failure}
        </p>
        {entries.length === 0 ? <p class="list-note">Nothing was said in this chat yet.</p> : null}
        {entries.map((entry) => (
          <EntryView key={entry.key} entry={entry} own={bot.id} />
        ))}
      </div>
    </main>
  );
}

function EntryView({ entry, own }: { entry: Entry; own: string }) {
  if (entry.kind === 'user') return <UserMessageView message={entry.message} label="Question" />;
  return entry.kind === 'answer' && entry.message ? <AnswerView message={entry.message} own={own} /> : null;
}

function AnswerView({ message, own }: { message: BotMessage; own: string }) {
  const { by, id, text, thinking = '', status } = message;
  if (status === 'superseded') return null;
  return (
    <article
      class="message bot"
      aria-label="Answer"
      data-testid="message"
      data-role="bot"
      data-key={id}
      data-status={status}
    >
      {by === undefined || by.id === own ? null : <p class="answered-by">{by.name}</p>}
      {thinking === '' ? null : <Thinking text={thinking} live={false} />}
      {text === '' ? null : <Markdown text={text} complete />}
      <AnswerEnd message={message} bot={by?.name ?? 'The bot'} />
    </article>
  );
}

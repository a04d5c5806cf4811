import { useSignal } from '@preact/signals';
import { useEffect, useId, useRef } from 'preact/hooks';
import { createShareApi, type MadeShare, type Share } from '../../client/share-api.ts';
import { reasonOf } from '../state/toasts.ts';
import { isoTime, momentOf } from '../state/words.ts';
import { CopyButton } from './CopyButton.tsx';

const DURATIONS = [
  { hours: 1, label: 'an hour' },
  { hours: 24, label: 'a day' },
  { hours: 7 * 24, label: 'a week' },
  { hours: 30 * 24, label: '30 days' },
];
const DEFAULT_HOURS = 7 * 24;
const api = createShareApi();

/** Links to a chat for people who only read it: made, and taken back. */
export function ShareDialog({ session, onClose }: { session: string; onClose: () => void }) {
  const dialog = useRef<HTMLDialogElement>(null);
  const titleId = useId();
  const made = useSignal<MadeShare | null>(null);
  const shares = useSignal<readonly Share[] | null>(null);
  const failure = useSignal('');
  const busy = useSignal(false);

  /** One wish at a time; what went wrong is said here, where the person looks. */
  const attempt = async (what: string, action: () => Promise<void>) => {
    if (busy.peek()) return;
    busy.value = true;
    failure.value = '';
    await action().catch((error: unknown) => (failure.value = `${what}: ${reasonOf(error)}`));
    busy.value = false;
  };
  const list = async () => void (shares.value = await api.list(session));
  const make = (hours: number) =>
    attempt('The link could not be made', async () => {
      made.value = await api.make(session, hours);
      await list();
    });
  const revoke = (id: string) =>
    attempt('The link could not be taken back', async () => {
      await api.revoke(session, id);
      if (made.peek()?.id === id) made.value = null;
      await list();
    });
  useEffect(() => {
    dialog.current?.showModal();
    void attempt('The links could not be listed', list);
  }, []);

  return (
    <dialog ref={dialog} class="dialog share" aria-labelledby={titleId} data-testid="share-dialog" onClose={onClose}>
      <h2 id={titleId}>Share this chat</h2>
      <p>
        Whoever has a link can read this chat, without a login, until the link ends: what was said, and what will be.
        They cannot write in it.
      </p>
      <MakeForm busy={busy.value} onMake={(hours) => void make(hours)} />
      {made.value === null ? null : <MadeLink share={made.value} />}
      <p class="error-text" role="alert">
        {failure.value}
      </p>
      <ShareList shares={shares.value} busy={busy.value} onRevoke={(id) => void revoke(id)} />
      <div class="dialog-actions">
        <button type="button" onClick={() => dialog.current?.close()}>
          Close
        </button>
      </div>
    </dialog>
  );
}

function MakeForm({ busy, onMake }: { busy: boolean; onMake: (hours: number) => void }) {
  const hours = useSignal(DEFAULT_HOURS);
  return (
    <form
      class="share-form"
      onSubmit={(event) => {
        event.preventDefault();
        onMake(hours.value);
      }}
    >
      <label>
        Ends after{' '}
        <select value={hours} onChange={(event) => (hours.value = Number(event.currentTarget.value))}>
          {DURATIONS.map((duration) => (
            <option key={duration.hours} value={duration.hours}>
              {duration.label}
            </option>
          ))}
        </select>
      </label>
      <button type="submit" data-testid="share-make" disabled={busy}>
        Make a link
      </button>
    </form>
  );
}

/** Only its digest is kept: nobody can be shown it a second time. */
function MadeLink({ share }: { share: MadeShare }) {
  const url = new URL(share.url, location.origin).href;
  const field = useRef<HTMLInputElement>(null);
  useEffect(() => field.current?.focus(), [url]);
  return (
    <div class="share-link">
      <input
        ref={field}
        readOnly
        value={url}
        aria-label="The link"
        data-testid="share-url"
        onFocus={(event) => event.currentTarget.select()}
      />
      <CopyButton text={url} label="Copy the link" withText />
      <p class="offscreen" role="status">
        The link is made.
      </p>
      <p>Copy it now: it is not shown again.</p>
    </div>
  );
}

interface ListProps {
  shares: readonly Share[] | null;
  busy: boolean;
  onRevoke: (id: string) => void;
}

function ShareList({ shares, busy, onRevoke }: ListProps) {
  if (shares === null) return null;
  if (shares.length === 0) return <p>No link to this chat works.</p>;
  return (
    <>
      <h3>Links that work</h3>
      <ul class="plain-list share-list">
        {shares.map(({ id, createdAt, expiresAt }) => (
          <li key={id} data-testid="share-item">
            <span>
              {createdAt === undefined ? '' : `Made ${momentOf(createdAt)}, `}
              until <time dateTime={isoTime(expiresAt)}>{momentOf(expiresAt)}</time>
            </span>
            <button
              type="button"
              class="small"
              aria-label={`Take back the link that ends ${momentOf(expiresAt)}`}
              disabled={busy}
              onClick={() => onRevoke(id)}
            >
              Take back
            </button>
          </li>
        ))}
      </ul>
    </>
  );
}

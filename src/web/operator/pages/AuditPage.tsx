import { useConsole } from '../state/context.ts';
import type { Verification } from '../state/ports.ts';
import { many } from '../state/words.ts';
import { FailureNote } from '../ui/FailureNote.tsx';
import { EntryItem } from './EntryItem.tsx';

export function AuditPage({ bot }: { bot: string | null }) {
  const { audit, fleet, router } = useConsole();
  const entries = audit.entries.value;
  const busy = audit.busy.value;
  const ids = [...fleet.byId.value.keys(), ...(bot !== null && !fleet.byId.value.has(bot) ? [bot] : [])].sort();
  return (
    <div class="page-column" data-testid="audit-page">
      <h1>Audit</h1>
      <div class="toolbar">
        <label class="sort-choice">
          <span class="muted">Bot</span>
          <select
            value={bot ?? ''}
            data-testid="audit-bot"
            onChange={(event) => router.go({ page: 'audit', bot: event.currentTarget.value || null })}
          >
            <option value="">All</option>
            {ids.map((id) => (
              <option key={id} value={id}>
                {id}
              </option>
            ))}
          </select>
        </label>
        <button type="button" class="small" disabled={busy} onClick={() => void audit.reload()}>
          {busy ? 'Loading' : 'Load again'}
        </button>
        <button
          type="button"
          class="small"
          data-testid="verify"
          disabled={audit.verifying.value}
          onClick={() => void audit.verify()}
        >
          {audit.verifying.value ? 'Checking' : 'Verify'}
        </button>
        <VerifyResult bot={bot} result={audit.verified.value} />
      </div>
      {audit.failure.value ? <FailureNote what="The audit log could not be read" error={audit.failure.value} /> : null}
      <section class="panel">
        {entries.length === 0 && !busy && !audit.failure.value ? <p class="empty">Nothing yet.</p> : null}
        <ol class="plain-list entries">
          {entries.map((entry) => (
            <EntryItem key={`${entry.bot} ${entry.seq}`} entry={entry} withBot={bot === null} />
          ))}
        </ol>
        {audit.hasMore.value ? (
          <button type="button" class="wide" disabled={busy} data-testid="more" onClick={() => void audit.more()}>
            Older entries
          </button>
        ) : null}
      </section>
    </div>
  );
}

function VerifyResult({ bot, result }: { bot: string | null; result: Verification | null }) {
  return (
    <div role="status" class="verify-result" data-testid="verify-result" data-ok={result && result.broken.length === 0}>
      {result === null ? null : result.broken.length === 0 ? (
        <p>
          {many(result.entries, 'entry holds', 'entries hold')}
          {bot === null ? ', of all bots' : `, of ${bot}`}: nothing was changed, taken out or put in.
        </p>
      ) : (
        result.broken.map(({ bot: of, seq, reason }) => (
          <p key={of} class="error-text">
            The log of {of} is broken at entry {seq}: {reason}
          </p>
        ))
      )}
    </div>
  );
}

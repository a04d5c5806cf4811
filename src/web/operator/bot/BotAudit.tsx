import { EntryItem } from '../pages/EntryItem.tsx';
import { useConsole } from '../state/context.ts';
import { hrefOf } from '../state/router.ts';
import { FailureNote } from '../ui/FailureNote.tsx';

/** More of them are on the page of their own. */
const SHOWN = 6;

export function BotAudit({ id }: { id: string }) {
  const { audit } = useConsole();
  const entries = audit.entries.value.filter(({ bot }) => bot === id);
  return (
    <section class="panel" data-testid="bot-audit">
      <h2>
        What operators did <a href={hrefOf({ page: 'audit', bot: id })}>All entries</a>
      </h2>
      {audit.failure.value ? <FailureNote what="The audit log could not be read" error={audit.failure.value} /> : null}
      {entries.length === 0 && !audit.busy.value && !audit.failure.value ? <p class="empty">Nothing yet.</p> : null}
      <ol class="plain-list entries">
        {entries.slice(0, SHOWN).map((entry) => (
          <EntryItem key={entry.seq} entry={entry} withBot={false} />
        ))}
      </ol>
    </section>
  );
}

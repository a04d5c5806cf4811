import { hrefOf } from '../state/router.ts';
import type { AuditEntry } from '../state/shapes.ts';
import { When } from '../ui/When.tsx';

const HASH_SHOWN = 10;

export function EntryItem({ entry, withBot }: { entry: AuditEntry; withBot: boolean }) {
  const { bot, seq, at, actor, action, detail, hash } = entry;
  const fields = Object.entries(detail);
  return (
    <li class="audit-entry" data-testid="audit-entry">
      <p>
        <When at={at} /> <strong>{action}</strong>
        {withBot ? <a href={hrefOf({ page: 'bot', id: bot })}>{bot}</a> : null}
        <span class="muted">
          by <code>{actor}</code> · entry {seq} · <code title={hash}>{hash.slice(0, HASH_SHOWN)}</code>
        </span>
      </p>
      {fields.length === 0 ? null : (
        <p class="detail">
          {fields.map(([name, value]) => (
            <code key={name}>
              {name}: {value === null ? 'default' : JSON.stringify(value)}
            </code>
          ))}
        </p>
      )}
    </li>
  );
}

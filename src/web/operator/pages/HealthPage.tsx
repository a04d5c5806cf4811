import { Icon } from '../../ui/Icon.tsx';
import { useConsole } from '../state/context.ts';
import type { Check } from '../state/ports.ts';
import { hrefOf } from '../state/router.ts';
import { duration } from '../state/words.ts';

export function HealthPage() {
  const { health } = useConsole();
  const report = health.report.value;
  return (
    <div class="page-column" data-testid="health-page">
      <h1>Health</h1>
      {report === null ? (
        <p class="empty">Asking.</p>
      ) : (
        <section class="panel">
          <h2 data-testid="health-status" data-status={report.status}>
            {report.status === 'ok' ? 'Everything answers' : 'Not everything answers'}
          </h2>
          <ul class="plain-list entries">
            <CheckItem name="Database (D1)" check={report.database} bots={[]} />
            <CheckItem name="Objects" check={report.objects} bots={[]} />
            {report.endpoints.map((endpoint) => (
              <CheckItem
                key={`${endpoint.kind} ${endpoint.url}`}
                name={`Endpoint (${endpoint.kind})`}
                url={endpoint.url}
                check={endpoint}
                bots={endpoint.bots}
              />
            ))}
          </ul>
        </section>
      )}
    </div>
  );
}

/** More names than this say less. */
const BOTS_NAMED = 12;

function CheckItem(props: { name: string; url?: string; check: Check; bots: readonly string[] }) {
  const { name, url, check, bots } = props;
  return (
    <li class="check" data-testid="check" data-ok={check.ok}>
      <p>
        <span class="check-word">
          <Icon name={check.ok ? 'check' : 'warning'} />
          {check.ok ? 'Answers' : 'Fails'}
        </span>
        <strong>{name}</strong>
        {url ? <code>{url}</code> : null}
        <span class="muted">{duration(check.ms)}</span>
      </p>
      {check.error ? <p class="error-text">{check.error}</p> : null}
      {bots.length === 0 ? null : (
        <p class="muted kinds">
          For{' '}
          {bots.slice(0, BOTS_NAMED).map((id) => (
            <a key={id} href={hrefOf({ page: 'bot', id })}>
              {id}
            </a>
          ))}
          {bots.length > BOTS_NAMED ? <span>and {bots.length - BOTS_NAMED} more</span> : null}
        </p>
      )}
    </li>
  );
}

import { useConsole } from '../state/context.ts';
import { AlertItem } from './AlertItem.tsx';

export function AlertsPage() {
  const { alerts } = useConsole();
  const all = alerts.list.value;
  const firing = all.filter(({ resolvedAt }) => resolvedAt === null);
  const recent = all.filter(({ resolvedAt }) => resolvedAt !== null);
  const isLoaded = alerts.poll.answeredAt.value !== null;
  return (
    <div class="page-column" data-testid="alerts-page">
      <h1>Alerts</h1>
      <AlertGroup title="Firing" alerts={firing} empty={isLoaded ? 'Nothing fires.' : 'Loading.'} />
      <AlertGroup title="Recent" alerts={recent} empty={isLoaded ? 'Nothing fired lately.' : 'Loading.'} />
    </div>
  );
}

function AlertGroup(props: {
  title: string;
  alerts: readonly Parameters<typeof AlertItem>[0]['alert'][];
  empty: string;
}) {
  const { title, alerts, empty } = props;
  return (
    <section class="panel" data-testid={`alerts-${title.toLowerCase()}`}>
      <h2>
        {title} <span class="muted">{alerts.length}</span>
      </h2>
      {alerts.length === 0 ? <p class="empty">{empty}</p> : null}
      <ol class="plain-list entries">
        {alerts.map((alert) => (
          <AlertItem key={`${alert.bot} ${alert.rule} ${alert.severity} ${alert.startedAt}`} alert={alert} withBot />
        ))}
      </ol>
    </section>
  );
}

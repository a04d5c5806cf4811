import { AlertItem } from '../pages/AlertItem.tsx';
import type { Alert } from '../state/shapes.ts';

export function BotAlerts({ alerts }: { alerts: readonly Alert[] }) {
  return (
    <section class="panel" data-testid="bot-alerts">
      <h2>Alerts</h2>
      {alerts.length === 0 ? <p class="empty">None.</p> : null}
      <ol class="plain-list entries">
        {alerts.map((alert) => (
          <AlertItem key={`${alert.rule} ${alert.severity} ${alert.startedAt}`} alert={alert} withBot={false} />
        ))}
      </ol>
    </section>
  );
}

import { ALERT_RULES, type AlertRule } from '../../../metrics/alert-rules.ts';
import { Icon } from '../../ui/Icon.tsx';
import { hrefOf } from '../state/router.ts';
import type { Alert } from '../state/shapes.ts';
import { count, duration, share } from '../state/words.ts';
import { When } from '../ui/When.tsx';

export function AlertItem({ alert, withBot }: { alert: Alert; withBot: boolean }) {
  const { rule, severity, bot, value, threshold, startedAt, resolvedAt } = alert;
  const known = ALERT_RULES.find((candidate) => candidate.name === rule);
  const isFiring = resolvedAt === null;
  return (
    <li class="alert" data-testid="alert" data-severity={severity} data-firing={isFiring ? '' : undefined}>
      <p>
        <span class="severity">
          <Icon name={severity === 'critical' ? 'warning' : 'down'} />
          {severity === 'critical' ? 'Critical' : 'Warning'}
        </span>
        <strong>{rule}</strong>
        {withBot ? <a href={hrefOf({ page: 'bot', id: bot })}>{bot}</a> : null}
        <span class="muted">
          worst {measured(value, known)}, allowed {measured(threshold, known)}
        </span>
      </p>
      {known ? <p>{known.summary}</p> : null}
      <p class="muted">
        {isFiring ? 'Fires since ' : 'Fired '}
        <When at={startedAt} />
        {isFiring ? null : (
          <>
            {' to '}
            <When at={resolvedAt} />
          </>
        )}
      </p>
    </li>
  );
}

/** In the unit that the rule's measure has. */
function measured(value: number, rule: AlertRule | undefined): string {
  if (rule?.measure.endsWith('_ms')) return duration(value);
  return rule?.measure.endsWith('_share') ? share(value) : count(value);
}

/** The alert rules as a file for Prometheus, for who scrapes /metrics anyway. Made from the rules, never edited. */
import { WANTED_FAILURES } from './alert-measures.ts';
import {
  ALERT_RULES,
  MIN_ERRORS,
  MIN_SILENT_CLOSES,
  MIN_TIMES,
  MIN_TURNS,
  PLANNED_CONNECTIONS,
  type AlertRule,
  type Measure,
} from './alert-rules.ts';

const GROUP = 'switchboard';
const MS_PER_SECOND = 1_000;

/** The measure as PromQL, per bot, without the comparison; `range` is the rule's window. */
const MEASURES: Readonly<Record<Measure, (range: string) => Expression>> = {
  overhead_p95_ms: (range) => ({
    value: `1000 * histogram_quantile(0.95, sum by (bot, le) (rate(switchboard_turn_overhead_seconds_bucket${range})))`,
    and: `sum by (bot) (increase(switchboard_turn_overhead_seconds_count${range})) >= ${MIN_TIMES}`,
  }),
  error_share: (range) => {
    const wanted = WANTED_FAILURES.join('|');
    const errors = `sum by (bot) (increase(switchboard_turns_total{outcome="failed", code!~"${wanted}"}${range}))`;
    const turns = `sum by (bot) (increase(switchboard_turns_total${range}))`;
    return { value: `${errors} / ${turns}`, and: `${turns} >= ${MIN_TURNS} and on (bot) ${errors} >= ${MIN_ERRORS}` };
  },
  line_share: () => ({ value: 'switchboard_turns_waiting / (switchboard_line_limit > 0)' }),
  line_stuck: () => ({
    value:
      'switchboard_bot_state{state="running"} * on (bot) (switchboard_turns_waiting > bool 0)' +
      ' * on (bot) (switchboard_turns_running == bool 0)',
  }),
  turn_restarts: (range) => ({ value: `increase(switchboard_turn_restarts_total${range})` }),
  silent_close_share: (range) => ({
    value:
      `increase(switchboard_silent_closes_total${range})` +
      ` / (increase(switchboard_silent_closes_total${range}) + switchboard_connections)`,
    and: `increase(switchboard_silent_closes_total${range}) >= ${MIN_SILENT_CLOSES}`,
  }),
  slots_share: () => ({ value: 'switchboard_turns_running / switchboard_slots' }),
  connections_share: () => ({ value: `switchboard_connections / ${PLANNED_CONNECTIONS}` }),
  endpoint_down: () => ({ value: 'switchboard_bot_state{state="degraded"}' }),
  outbox_lag_ms: () => ({ value: '1000 * switchboard_outbox_lag_seconds' }),
};

interface Expression {
  value: string;
  /** What must be so besides, for the value to mean anything. */
  and?: string;
}

/** YAML; texts are written as JSON strings, which YAML reads as they are. */
export function prometheusRules(rules: readonly AlertRule[] = ALERT_RULES): string {
  const head = [
    '# Generated from src/metrics/alert-rules.ts; change the rules there.',
    'groups:',
    `  - name: ${GROUP}`,
    '    rules:',
  ];
  return `${[...head, ...rules.flatMap(ruleLines)].join('\n')}\n`;
}

function ruleLines(rule: AlertRule): string[] {
  return [
    `      - alert: ${alertName(rule.name)}`,
    `        expr: ${JSON.stringify(expressionOf(rule))}`,
    `        for: ${duration(rule.forMs)}`,
    `        keep_firing_for: ${duration(rule.resolveAfterMs)}`,
    '        labels:',
    `          rule: ${rule.name}`,
    `          severity: ${rule.severity}`,
    '        annotations:',
    `          summary: ${JSON.stringify(rule.summary)}`,
    '          description: "Bot {{ $labels.bot }}: {{ $value }}"',
  ];
}

function expressionOf({ measure, threshold, windowMs }: AlertRule): string {
  const { value, and } = MEASURES[measure](`[${duration(windowMs)}]`);
  const broken = `${value} > ${threshold}`;
  return and === undefined ? broken : `${broken} and on (bot) ${and}`;
}

function duration(ms: number): string {
  return `${ms / MS_PER_SECOND}s`;
}

/** `slow_p95` is `SwitchboardSlowP95`, as alerts are named there. */
function alertName(name: string): string {
  return `Switchboard${name.replace(/(?:^|_)(\w)/g, (_, letter: string) => letter.toUpperCase())}`;
}

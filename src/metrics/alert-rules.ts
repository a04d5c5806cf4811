/**
 * What is worth waking somebody for, as data: the product evaluates these rules itself, and
 * `alerts.prometheus.yml` holds the same ones for who has a Prometheus. The thresholds are those of
 * the capacity reports where they name one.
 */

export type Severity = 'warning' | 'critical';

/** An alert as it is listed and sent. */
export interface AlertView {
  /** The rule's name, e.g. `slow_p95`. */
  rule: string;
  severity: Severity;
  bot: string;
  /** The worst that was measured while it fired, in the rule's unit. */
  value: number;
  threshold: number;
  /** ms since 1970; `resolvedAt` null while it fires. */
  startedAt: number;
  resolvedAt: number | null;
}

/**
 * What a rule looks at. Shares are 0 to 1 and more, times are ms, `*_stuck` and `*_down` are 1 or 0.
 * What each means exactly is in alert-measures.ts, and again as PromQL in prometheus-rules.ts.
 */
export type Measure =
  | 'overhead_p95_ms'
  | 'error_share'
  | 'line_share'
  | 'line_stuck'
  | 'turn_restarts'
  | 'silent_close_share'
  | 'slots_share'
  | 'connections_share'
  | 'endpoint_down'
  | 'outbox_lag_ms';

export interface AlertRule {
  name: string;
  severity: Severity;
  measure: Measure;
  /** The rule is broken while the measure is above this. */
  threshold: number;
  /** Over how long counters are looked at; 0 for what is measured at one moment. */
  windowMs: number;
  /** How long the rule must be broken before the alert fires. */
  forMs: number;
  /** How long it must hold again before the alert is resolved, so that an alert does not flap. */
  resolveAfterMs: number;
  /** One sentence for people. */
  summary: string;
}

/** Answers within the window below which the slowest twentieth is one answer. */
export const MIN_TIMES = 20;
/** Turns and failures within the window below which a share of them says nothing: one failure of ten is bad luck. */
export const MIN_TURNS = 10;
export const MIN_ERRORS = 3;
/** Silent closes below which a share of connections says nothing: a few laptops were shut. */
export const MIN_SILENT_CLOSES = 5;
/** Connections to one bot's sessions that the reports promise; more may work, nobody planned for them. */
export const PLANNED_CONNECTIONS = 1_000;

const SECOND_MS = 1_000;
const MINUTE_MS = 60 * SECOND_MS;
const WINDOW_MS = 5 * MINUTE_MS;

/** The reports' advice: at 70 % of what there is, it is time to plan for more. */
const CAPACITY_SHARE = 0.7;

const slow = {
  name: 'slow_p95',
  measure: 'overhead_p95_ms',
  windowMs: WINDOW_MS,
  forMs: 30 * SECOND_MS,
  resolveAfterMs: 2 * MINUTE_MS,
  summary: "One answer in twenty takes this many milliseconds longer than the model's own time.",
} as const;
const errors = {
  name: 'errors',
  measure: 'error_share',
  windowMs: WINDOW_MS,
  forMs: 0,
  resolveAfterMs: 2 * MINUTE_MS,
  summary: 'This share of turns fails.',
} as const;
const lag = {
  name: 'outbox_lag',
  measure: 'outbox_lag_ms',
  windowMs: 0,
  forMs: 30 * SECOND_MS,
  resolveAfterMs: MINUTE_MS,
  summary: 'Records wait this many milliseconds for D1: lists and search are behind, conversations go on.',
} as const;

export const ALERT_RULES: readonly AlertRule[] = [
  { ...slow, severity: 'warning', threshold: 500 },
  { ...slow, severity: 'critical', threshold: 750 },
  { ...errors, severity: 'warning', threshold: 0.01 },
  { ...errors, severity: 'critical', threshold: 0.05 },
  {
    name: 'line_nearly_full',
    severity: 'warning',
    measure: 'line_share',
    threshold: 0.8,
    windowMs: 0,
    forMs: 30 * SECOND_MS,
    resolveAfterMs: MINUTE_MS,
    summary: 'This share of the places in the line is taken; when all are, turns fail.',
  },
  {
    name: 'line_stuck',
    severity: 'critical',
    measure: 'line_stuck',
    threshold: 0,
    windowMs: 0,
    // Longer than a budget per minute can keep a line waiting.
    forMs: 2 * MINUTE_MS,
    resolveAfterMs: 30 * SECOND_MS,
    summary: 'The bot runs and turns wait, but none is being answered.',
  },
  {
    name: 'restarts',
    severity: 'warning',
    measure: 'turn_restarts',
    threshold: 5,
    windowMs: WINDOW_MS,
    forMs: 0,
    resolveAfterMs: 2 * MINUTE_MS,
    summary: 'This many turns were begun again because their process had ended.',
  },
  {
    name: 'disconnects',
    severity: 'warning',
    measure: 'silent_close_share',
    threshold: 0.1,
    windowMs: WINDOW_MS,
    forMs: 0,
    resolveAfterMs: 2 * MINUTE_MS,
    summary: 'This share of connections went silent and was closed.',
  },
  {
    name: 'slots_nearly_used',
    severity: 'warning',
    measure: 'slots_share',
    threshold: CAPACITY_SHARE,
    windowMs: 0,
    // A slot is there to be used; a busy minute is no reason to plan for more.
    forMs: 5 * MINUTE_MS,
    resolveAfterMs: 5 * MINUTE_MS,
    summary: "This share of the endpoint's slots is in use: plan for more.",
  },
  {
    name: 'connections_many',
    severity: 'warning',
    measure: 'connections_share',
    threshold: CAPACITY_SHARE,
    windowMs: 0,
    forMs: MINUTE_MS,
    resolveAfterMs: 5 * MINUTE_MS,
    summary: `This share of the ${PLANNED_CONNECTIONS} connections planned for one bot is in use: plan for more.`,
  },
  {
    name: 'endpoint_down',
    severity: 'critical',
    measure: 'endpoint_down',
    threshold: 0,
    windowMs: 0,
    forMs: MINUTE_MS,
    resolveAfterMs: 15 * SECOND_MS,
    summary: "The bot's endpoint fails; its turns wait.",
  },
  { ...lag, severity: 'warning', threshold: MINUTE_MS },
  { ...lag, severity: 'critical', threshold: 10 * MINUTE_MS },
];

/** The longest that any rule looks back, in ms. */
export const LONGEST_WINDOW_MS = Math.max(...ALERT_RULES.map(({ windowMs }) => windowMs));

/** An alert as it is listed and sent. The rules themselves come with the engine that evaluates them. */
export interface AlertView {
  /** The rule's name, e.g. `slow_p95`. */
  rule: string;
  severity: 'warning' | 'critical';
  bot: string;
  value: number;
  threshold: number;
  /** ms since 1970; `resolvedAt` null while it fires. */
  startedAt: number;
  resolvedAt: number | null;
}

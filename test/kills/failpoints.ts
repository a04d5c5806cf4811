/**
 * The places at which the process can be told to end, between what a session does and what the
 * world knows of it. Shared by the Worker that has them and the harness that chooses.
 */

/** Statements on the object's storage: before it runs; when it ran and is not committed; when it is durable. */
const STATEMENTS = ['created', 'message', 'restarted', 'reply', 'delivered', 'removed'] as const;
const MOMENTS = ['before', 'written', 'committed'] as const;

export type Statement = (typeof STATEMENTS)[number];
export type Moment = (typeof MOMENTS)[number];

const OTHERS = [
  /** The object's constructor; also the second crash of two in a row. */
  'object.open',
  /** The message is durable and its acknowledgement never leaves. */
  'ack.withheld',
  'ack.sent',
  'welcome.sent',
  /** Between the acknowledgement and the request to the model. */
  'model.before',
  'model.answered',
  'delta.first',
  'delta.later',
  /** Around the batch that brings records to D1: before it, and applied but not noted in the object. */
  'delivery.before',
  'delivery.applied',
  /** The same for the batch that erases a session from D1. */
  'forget.before',
  'forget.applied',
  /** Around the end of a removed object's storage. */
  'destroy.before',
  'destroy.done',
  'alarm.start',
  'alarm.set',
  /** The work is over, and the alarm that was for it is taken back. */
  'alarm.cleared',
] as const;

export type Failpoint = `${Statement}.${Moment}` | (typeof OTHERS)[number];

export const FAILPOINTS: readonly Failpoint[] = [
  ...STATEMENTS.flatMap((statement) => MOMENTS.map((moment): Failpoint => `${statement}.${moment}`)),
  ...OTHERS,
];

/** The variable of the process that names the place and its passage: `reply.written:3` is the third time there. */
export const FAILPOINT_VARIABLE = 'FAILPOINT';
/** What the Worker writes when it is there; then it waits for its end. */
export const REACHED = 'reached failpoint ';
/** What the Worker writes when an alarm that is due is moved to later. */
export const ALARM_PUT_OFF = 'alarm put off';

/**
 * What a scrape says, metric by metric. Names and units follow Prometheus (base units, `_total` for
 * counters) and, where there is one, OpenTelemetry's word for generative AI: tokens are of type
 * `input` and `output`, a first token has its time. Every bot's metrics carry its id as `bot`.
 */
import type { BotSample } from './bot-sample.ts';
import { histogramSamples, seconds, type Family, type Labels, type Sample } from './exposition.ts';

const STATES = ['stopped', 'starting', 'running', 'paused', 'degraded'] as const;
const BREAKER_STATES = ['closed', 'half-open', 'open'] as const;

/** What a scrape is made from. */
export interface Scrape {
  bots: readonly BotSample[];
  /** Bots there are, bots beyond what one scrape shows, bots whose row cannot be read. */
  known: number;
  leftOut: number;
  unreadable: number;
  /** ms since 1970. */
  now: number;
}

interface BotMetric extends Omit<Family, 'samples'> {
  of: (bot: BotSample, labels: Labels, now: number) => Sample[];
}

const BOT_METRICS: readonly BotMetric[] = [
  {
    name: 'switchboard_bot_info',
    type: 'gauge',
    help: 'The model that the bot answers with; always 1.',
    of: ({ model }, labels) => [{ labels: { ...labels, model }, value: 1 }],
  },
  {
    name: 'switchboard_bot_state',
    type: 'gauge',
    help: 'The state of the bot: 1 for the one it is in, 0 for the others.',
    of: ({ state }, labels) => oneOf(STATES, state, labels),
  },
  gauge('switchboard_bot_uptime_seconds', 'Time since the bot was launched, when its snapshot was written.', (bot) =>
    seconds(bot.snapshot.uptimeMs),
  ),
  gauge(
    'switchboard_bot_snapshot_age_seconds',
    'Age of what is known of the bot. Bots that nobody talks to write nothing.',
    (bot, now) => seconds(Math.max(0, now - bot.updatedAt)),
  ),
  {
    name: 'switchboard_turns_total',
    type: 'counter',
    help: 'Turns that ended, by outcome (reply, stopped, failed) and, of failed ones, by code.',
    of: ({ snapshot: { stats } }, labels) => [
      { labels: { ...labels, outcome: 'reply', code: '' }, value: stats.replies },
      { labels: { ...labels, outcome: 'stopped', code: '' }, value: stats.stopped },
      ...Object.entries(stats.failed).map(([code, value]) => ({
        labels: { ...labels, outcome: 'failed', code },
        value,
      })),
    ],
  },
  {
    name: 'switchboard_tokens_total',
    type: 'counter',
    help: "Tokens of prompts (input) and answers (output), by the endpoint's own count.",
    of: ({ snapshot: { stats } }, labels) => [
      { labels: { ...labels, type: 'input' }, value: stats.promptTokens },
      { labels: { ...labels, type: 'output' }, value: stats.answerTokens },
    ],
  },
  histogram(
    'switchboard_turn_first_token_seconds',
    'From the beginning of an answer to its first token.',
    'firstToken',
  ),
  histogram('switchboard_turn_duration_seconds', 'From the beginning of an answer to its end.', 'total'),
  histogram('switchboard_turn_overhead_seconds', "The part of an answer's time that was not the model's.", 'overhead'),
  histogram('switchboard_turn_wait_seconds', 'From when a turn wanted to begin to when it might.', 'waited'),
  gauge('switchboard_turns_running', 'Turns that are being answered.', ({ snapshot }) => snapshot.running),
  gauge('switchboard_turns_waiting', 'Turns that wait for the bot.', ({ snapshot }) => snapshot.queued),
  limit('switchboard_line_limit', 'Places in the line of a bot that has one.', ({ snapshot }) => snapshot.queueLimit),
  limit(
    'switchboard_slots',
    'Answers that the endpoint generates at once, for a bot with such a limit.',
    (bot) => bot.snapshot.slots,
  ),
  gauge('switchboard_connections', "Open connections to the bot's sessions.", ({ snapshot }) => snapshot.connections),
  {
    name: 'switchboard_breaker_state',
    type: 'gauge',
    help: 'The circuit breaker before the endpoint: 1 for the state it is in, 0 for the others.',
    of: ({ snapshot }, labels) => oneOf(BREAKER_STATES, snapshot.breaker, labels),
  },
  counter('switchboard_breaker_opened_total', 'How often the circuit breaker opened.', 'breakerOpened'),
  gauge(
    'switchboard_outbox_lag_seconds',
    'Age of the oldest record that D1 does not have, of the session of the bot that is most behind.',
    ({ snapshot: { stats } }) => seconds(stats.undeliveredMs),
  ),
  counter('switchboard_rows_written_total', "Rows that the bot's sessions wrote in their objects.", 'rowsWritten'),
  counter('switchboard_turn_restarts_total', 'Turns begun again because their process had ended.', 'restarts'),
  counter('switchboard_silent_closes_total', 'Connections closed because nothing was heard of them.', 'silentCloses'),
  {
    name: 'switchboard_alerts_firing',
    type: 'gauge',
    help: 'Alerts of the bot that fire now; always 1.',
    of: ({ snapshot: { alerts } }, labels) =>
      alerts.map(({ rule, severity }) => ({ labels: { ...labels, rule, severity }, value: 1 })),
  },
];

/** Families in a fixed order, each with the samples of all bots together, as the format demands. */
export function botFamilies({ bots, known, leftOut, unreadable, now }: Scrape): Family[] {
  return [
    total('switchboard_bots', 'Bots that somebody made or talked to.', known),
    total('switchboard_bots_left_out', 'Bots that this scrape does not show: it shows those that wrote last.', leftOut),
    total('switchboard_bots_unreadable', 'Bots whose snapshot another version wrote; they are not shown.', unreadable),
    ...BOT_METRICS.map(({ name, type, help, of }) => ({
      name,
      type,
      help,
      samples: bots.flatMap((bot) => of(bot, { bot: bot.id }, now)),
    })),
  ];
}

type Stats = BotSample['snapshot']['stats'];
type KeysOf<Value> = { [Key in keyof Stats]: Stats[Key] extends Value ? Key : never }[keyof Stats];

function gauge(name: string, help: string, value: (bot: BotSample, now: number) => number): BotMetric {
  return { name, type: 'gauge', help, of: (bot, labels, now) => [{ labels, value: value(bot, now) }] };
}

/** A gauge of bots that have such a limit. */
function limit(name: string, help: string, value: (bot: BotSample) => number | null): BotMetric {
  const of: BotMetric['of'] = (bot, labels) => {
    const there = value(bot);
    return there === null ? [] : [{ labels, value: there }];
  };
  return { name, type: 'gauge', help, of };
}

function counter(name: string, help: string, key: KeysOf<number>): BotMetric {
  return { name, type: 'counter', help, of: ({ snapshot }, labels) => [{ labels, value: snapshot.stats[key] }] };
}

function histogram(name: string, help: string, key: KeysOf<{ counts: number[]; sumMs: number }>): BotMetric {
  return { name, type: 'histogram', help, of: ({ snapshot }, labels) => histogramSamples(labels, snapshot.stats[key]) };
}

function total(name: string, help: string, value: number): Family {
  return { name, type: 'gauge', help, samples: [{ labels: {}, value }] };
}

function oneOf(states: readonly string[], current: string, labels: Labels): Sample[] {
  return states.map((state) => ({ labels: { ...labels, state }, value: state === current ? 1 : 0 }));
}

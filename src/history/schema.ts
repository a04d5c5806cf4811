/**
 * The tables of D1. `drizzle-kit generate` turns changes here into a migration; the search index
 * is a virtual table, which Drizzle does not know, and has a migration written by hand.
 */
import { sql } from 'drizzle-orm';
import { check, index, integer, primaryKey, real, sqliteTable, text } from 'drizzle-orm/sqlite-core';
import { SESSION_SPAN } from './row-id.ts';

/** Not written per turn: what happened last in a session is read from its newest message. */
export const sessions = sqliteTable(
  'sessions',
  {
    /** AUTOINCREMENT: a number is never given twice, so a new session cannot meet an old one's rows. */
    num: integer('num').primaryKey({ autoIncrement: true }),
    id: text('id').notNull().unique('sessions_id'),
    userId: text('user_id').notNull(),
    botId: text('bot_id').notNull(),
    botName: text('bot_name').notNull(),
    botModel: text('bot_model').notNull(),
    title: text('title').notNull(),
    archived: integer('archived', { mode: 'boolean' }).notNull().default(false),
    folder: text('folder').notNull().default(''),
    /** Milliseconds since 1970. */
    createdAt: integer('created_at').notNull(),
    /** The `seq` of the record that last changed the settings: an older one delivered late loses. */
    settingsSeq: integer('settings_seq').notNull(),
  },
  (table) => [index('sessions_user').on(table.userId)],
);

export const messages = sqliteTable(
  'messages',
  {
    /** `sessions.num * SESSION_SPAN + seq`. */
    id: integer('id').primaryKey(),
    turn: integer('turn').notNull(),
    /** The `seq` of the record that last changed this row. */
    rev: integer('rev').notNull(),
    role: text('role', { enum: ['user', 'bot'] }).notNull(),
    status: text('status', {
      enum: ['accepted', 'cancelled', 'complete', 'stopped', 'failed', 'superseded'],
    }).notNull(),
    /** Milliseconds since 1970. */
    at: integer('at').notNull(),
    /** A person's message: the client's id and the priority. */
    clientId: text('client_id'),
    priority: integer('priority'),
    /** An answer: which try, by which model, how it ended. `usage` and `error` are JSON. */
    attempt: integer('attempt'),
    model: text('model'),
    finish: text('finish', { enum: ['stop', 'length'] }),
    usage: text('usage'),
    error: text('error'),
    // The long ones come last: SQLite reads a row from its front and stops where it may.
    text: text('text').notNull(),
    thinking: text('thinking'),
  },
  () => [check('messages_seq', sql.raw(`id % ${SESSION_SPAN} > 0`))],
);

/**
 * Sessions that were deleted. Keeps a late delivery of their first records from bringing them
 * back, and remembers whose messages are still to be erased. Holds nothing a person wrote.
 */
export const removedSessions = sqliteTable('removed_sessions', {
  id: text('id').primaryKey(),
  /** The session's number and user while messages may be left; null when nothing is. */
  num: integer('num'),
  userId: text('user_id'),
  /** Milliseconds since 1970. */
  at: integer('at').notNull(),
});

/**
 * The bots that an operator made or changed, or that somebody talked to: a copy of what their objects
 * know, for lists and metrics. Each object writes its own row.
 */
export const bots = sqliteTable('bots', {
  id: text('id').primaryKey(),
  name: text('name').notNull(),
  model: text('model').notNull(),
  /** BotState. */
  state: text('state').notNull(),
  /** JSON: the definition (BotSpec), null where configuration defines the bot. */
  spec: text('spec'),
  revision: integer('revision').notNull(),
  deleted: integer('deleted', { mode: 'boolean' }).notNull().default(false),
  /** JSON: the last BotStatus that was written, without id, name, model, state and revision. */
  status: text('status').notNull(),
  /** Grows with every write of the object: an older one delivered late loses. */
  version: integer('version').notNull(),
  /** Milliseconds since 1970. */
  updatedAt: integer('updated_at').notNull(),
});

/** Operators' actions, copied from the bots' own hash-chained logs. */
export const audit = sqliteTable(
  'audit',
  {
    bot: text('bot').notNull(),
    seq: integer('seq').notNull(),
    /** Milliseconds since 1970. */
    at: integer('at').notNull(),
    actor: text('actor').notNull(),
    action: text('action').notNull(),
    /** JSON. */
    detail: text('detail').notNull(),
    /** Hex. */
    hash: text('hash').notNull(),
  },
  (table) => [primaryKey({ columns: [table.bot, table.seq] }), index('audit_at').on(table.at)],
);

/** Alerts that fire or fired. */
export const alerts = sqliteTable(
  'alerts',
  {
    bot: text('bot').notNull(),
    rule: text('rule').notNull(),
    severity: text('severity', { enum: ['warning', 'critical'] }).notNull(),
    /** Milliseconds since 1970; `resolvedAt` null while it fires. */
    startedAt: integer('started_at').notNull(),
    resolvedAt: integer('resolved_at'),
    value: real('value').notNull(),
    threshold: real('threshold').notNull(),
  },
  (table) => [
    primaryKey({ columns: [table.bot, table.rule, table.severity, table.startedAt] }),
    index('alerts_started').on(table.startedAt),
  ],
);

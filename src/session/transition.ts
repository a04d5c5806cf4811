/**
 * The one place where it is decided what happens: (state, command) -> records and effects, or a
 * refusal. Pure: no clock, no chance, no waiting, no binding. The rules are numbered in SPEC.md.
 */
import type { RequestErrorCode } from '../protocol/codes.ts';
import { MAX_QUEUE_LENGTH } from '../protocol/limits.ts';
import type { LogRecord, RecordBody } from '../protocol/records.ts';
import type { WireError } from '../protocol/server-frames.ts';
import type { Command } from './command.ts';
import { evolve } from './evolve.ts';
import { positionOf, type SessionState } from './state.ts';
import { titleFrom } from './title.ts';

/** A turn that ends the process this often is given up, so that one message cannot keep a session down. */
export const MAX_RESTARTS = 4;

export type Effect =
  /** Tell who asked that the message is durable. */
  | { type: 'ack'; id: string; seq: number; position: number }
  /** Begin to answer. */
  | { type: 'generate'; turn: number; attempt: number }
  /** Stop producing: this attempt is over. */
  | { type: 'abort'; turn: number; attempt: number };

export type Transition =
  | { ok: true; state: SessionState; records: LogRecord[]; effects: Effect[] }
  | { ok: false; error: WireError };

/** What `command` does to `state` at time `at` (ms since 1970). */
export function transition(state: SessionState, command: Command, at: number): Transition {
  const decision = decide(state, command);
  if ('code' in decision) return { ok: false, error: decision };
  const records = decision.map((body, index): LogRecord => ({ ...body, seq: state.seq + 1 + index, at }));
  const next = records.reduce(evolve, state);
  return { ok: true, state: next, records, effects: effectsOf(state, next, command) };
}

type Decision = RecordBody[] | WireError;

function decide(state: SessionState, command: Command): Decision {
  switch (command.type) {
    case 'create':
      return state.seq === 0 ? [{ kind: 'created', bot: command.bot, title: command.title }] : [];
    case 'send':
      return send(state, command);
    case 'edit':
    case 'cancel':
      return revise(state, command);
    case 'stop': {
      const { running } = state;
      if (running?.turn !== command.turn) return refuse('not_running', 'That answer is not running.');
      return [{ kind: 'stopped', turn: running.turn, attempt: running.attempt, ...command.partial }];
    }
    case 'regenerate':
      return regenerate(state, command);
    case 'update':
      return update(state, command);
    case 'finish': {
      const { turn, attempt } = command.outcome;
      const current = state.running?.turn === turn && state.running.attempt === attempt;
      return current ? [command.outcome] : [];
    }
    case 'recover':
      return recover(state);
  }
}

function send(state: SessionState, command: Extract<Command, { type: 'send' }>): Decision {
  const { id, text, priority, prior } = command;
  if (prior) return prior.text === text ? [] : refuse('id_conflict', 'This id belongs to another message.', id);
  if (state.waiting.length >= MAX_QUEUE_LENGTH) {
    const error = refuse('queue_full', `${MAX_QUEUE_LENGTH} messages wait already.`, id);
    return { ...error, retryable: true, retryAfterMs: 2_000 };
  }
  const message: RecordBody = { kind: 'message', id, text, priority };
  return state.title === '' ? [message, { kind: 'updated', title: titleFrom(text) }] : [message];
}

function revise(state: SessionState, command: Extract<Command, { type: 'edit' | 'cancel' }>): Decision {
  const waiting = state.waiting.find((turn) => turn.id === command.id);
  if (!waiting) return refuse('not_queued', 'That message does not wait any more.', command.id);
  if (command.type === 'cancel') return [{ kind: 'cancelled', turn: waiting.turn }];
  return [{ kind: 'edited', turn: waiting.turn, text: command.text }];
}

function regenerate(state: SessionState, command: Extract<Command, { type: 'regenerate' }>): Decision {
  const { last } = state;
  if (state.running || last?.turn !== command.turn) {
    return refuse('nothing_to_regenerate', 'Only the last answer can be asked for again, when nothing runs.');
  }
  if (command.baseSeq < last.seq || command.baseSeq > state.seq) {
    return refuse('stale_base', 'The conversation is not where the client believes it to be.');
  }
  return [{ kind: 'regenerated', turn: last.turn, attempt: last.attempt + 1 }];
}

function update(state: SessionState, command: Extract<Command, { type: 'update' }>): Decision {
  const { type: _, ...wanted } = command;
  const same =
    (wanted.title ?? state.title) === state.title &&
    (wanted.archived ?? state.archived) === state.archived &&
    (wanted.folder ?? state.folder) === state.folder &&
    (wanted.bot?.id ?? state.bot.id) === state.bot.id &&
    (wanted.bot?.model ?? state.bot.model) === state.bot.model;
  return same ? [] : [{ kind: 'updated', ...wanted }];
}

function recover(state: SessionState): Decision {
  const { running } = state;
  if (!running) return [];
  const { turn, attempt, restarts } = running;
  if (restarts < MAX_RESTARTS) return [{ kind: 'restarted', turn, attempt: attempt + 1 }];
  const message = `The answer was interrupted ${restarts + 1} times and is given up.`;
  return [{ kind: 'failed', turn, attempt, text: '', code: 'interrupted', message }];
}

/** What the outside must do now, read off the difference that the records made. */
function effectsOf(before: SessionState, after: SessionState, command: Command): Effect[] {
  const effects: Effect[] = [];
  if (command.type === 'send') {
    const seq = command.prior?.seq ?? before.seq + 1;
    effects.push({ type: 'ack', id: command.id, seq, position: positionOf(after, seq) });
  }
  const [was, is] = [before.running, after.running];
  if (was?.turn === is?.turn && was?.attempt === is?.attempt) return effects;
  // After a boot the attempt that `was` names has died with its process; aborting it is harmless.
  if (was) effects.push({ type: 'abort', turn: was.turn, attempt: was.attempt });
  if (is) effects.push({ type: 'generate', turn: is.turn, attempt: is.attempt });
  return effects;
}

function refuse(code: RequestErrorCode, message: string, id?: string): WireError {
  return { code, message, retryable: false, ...(id === undefined ? {} : { id }) };
}

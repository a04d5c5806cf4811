/** The state after one more record. Total and pure: every record that `decide` can make folds without error. */
import type { LogRecord } from '../protocol/records.ts';
import type { RunningTurn, SessionState, WaitingTurn } from './state.ts';

export function evolve(state: SessionState, record: LogRecord): SessionState {
  return promote({ ...apply(state, record), seq: record.seq });
}

function apply(state: SessionState, record: LogRecord): SessionState {
  switch (record.kind) {
    case 'created':
      return { ...state, bot: record.bot, title: record.title, createdAt: record.at };
    case 'message':
      return {
        ...state,
        waiting: enqueue(state.waiting, { turn: record.seq, id: record.id, priority: record.priority }),
      };
    case 'edited':
      return state;
    case 'cancelled':
      return { ...state, waiting: state.waiting.filter((waiting) => waiting.turn !== record.turn) };
    case 'restarted':
      return withRunning(state, record.turn, (running) => ({
        ...running,
        attempt: record.attempt,
        restarts: running.restarts + 1,
      }));
    case 'regenerated': {
      if (state.last?.turn !== record.turn) return state;
      const { turn, id } = state.last;
      return { ...state, running: { turn, id, priority: 0, attempt: record.attempt, restarts: 0 }, last: null };
    }
    case 'reply':
    case 'stopped':
    case 'failed': {
      if (state.running?.turn !== record.turn) return state;
      const { turn, id, attempt } = state.running;
      return { ...state, running: null, last: { turn, id, attempt, seq: record.seq } };
    }
    case 'updated': {
      const { title = state.title, bot = state.bot, archived = state.archived, folder = state.folder } = record;
      return { ...state, title, bot, archived, folder };
    }
  }
}

function withRunning(state: SessionState, turn: number, change: (running: RunningTurn) => RunningTurn): SessionState {
  return state.running?.turn === turn ? { ...state, running: change(state.running) } : state;
}

/** Behind everything of the same or a higher priority. */
function enqueue(waiting: readonly WaitingTurn[], turn: WaitingTurn): WaitingTurn[] {
  const behind = waiting.findIndex((other) => other.priority < turn.priority);
  return behind === -1 ? [...waiting, turn] : waiting.toSpliced(behind, 0, turn);
}

/** One turn runs at a time, and never none while one waits. */
function promote(state: SessionState): SessionState {
  const [first, ...rest] = state.waiting;
  if (state.running || !first) return state;
  return { ...state, running: { ...first, attempt: 1, restarts: 0 }, waiting: rest };
}

/** D1 as far as sessions write to it: the real projection, applied to rows in memory, by calls that fail. */
import { project, type Stored } from '../../src/history/projection.ts';
import type { LogRecord } from '../../src/protocol/records.ts';
import { isReviser } from '../../src/protocol/transcript.ts';
import type { HistoryRow } from '../support/history-model.ts';

interface Session {
  /** The last record that arrived. */
  head: number;
  rows: Map<number, Stored>;
  title: string;
  archived: boolean;
  folder: string;
  bot: string;
  settingsSeq: number;
}

/** One call on its way. */
export interface Call {
  session: string;
  kind: 'deliver' | 'forget';
  records: readonly LogRecord[];
  /** It leaves the object when everything written before it is durable. */
  gate: number;
  /** The process that waits for it. */
  caller: object;
  applied: boolean;
  resolve: () => void;
  reject: (error: Error) => void;
}

export class SimD1 {
  down = false;
  calls: Call[] = [];
  readonly #sessions = new Map<string, Session>();
  readonly #removed = new Set<string>();

  call(call: Omit<Call, 'resolve' | 'reject' | 'applied'>): Promise<void> {
    return new Promise((resolve, reject) => {
      this.calls.push({ ...call, applied: false, resolve, reject });
    });
  }

  apply(call: Call): void {
    call.applied = true;
    if (call.kind === 'deliver') return this.#deliver(call.session, call.records);
    this.#removed.add(call.session);
    this.#sessions.delete(call.session);
  }

  /** The call is never answered. */
  lose(call: Call): void {
    this.calls = this.calls.filter((other) => other !== call);
  }

  settle(call: Call, error: Error | null): void {
    this.calls = this.calls.filter((other) => other !== call);
    if (error) call.reject(error);
    else call.resolve();
  }

  #deliver(id: string, records: readonly LogRecord[]): void {
    const turns = new Set(records.filter(isReviser).map(({ turn }) => turn));
    const known = this.#sessions.get(id)?.rows ?? new Map<number, Stored>();
    const stored = [...known.values()].filter(({ message }) => turns.has(message.turn));
    const { created, settings, inserts, revisions } = project(records, stored);
    if (created && !this.#removed.has(id) && !this.#sessions.has(id)) {
      const { title, bot, seq } = created;
      this.#sessions.set(id, {
        head: 0,
        rows: new Map(),
        title,
        archived: false,
        folder: '',
        bot: bot.id,
        settingsSeq: seq,
      });
    }
    const session = this.#sessions.get(id);
    if (!session) return;
    session.head = Math.max(session.head, records.at(-1)?.seq ?? 0);
    if (settings && session.settingsSeq < settings.seq) {
      const { title = session.title, archived = session.archived, folder = session.folder, bot, seq } = settings;
      Object.assign(session, { title, archived, folder, bot: bot?.id ?? session.bot, settingsSeq: seq });
    }
    for (const insert of inserts) {
      if (!session.rows.has(insert.message.seq)) session.rows.set(insert.message.seq, insert);
    }
    for (const { before, after } of revisions) {
      const { seq } = after.message;
      if (session.rows.get(seq)?.rev === before.rev) session.rows.set(seq, after);
    }
  }

  rows(id: string): HistoryRow[] {
    const rows = [...(this.#sessions.get(id)?.rows.values() ?? [])].map(rowOf);
    return rows.toSorted((one, other) => one.seq - other.seq);
  }

  settings(id: string): string {
    const session = this.#sessions.get(id);
    if (!session) return 'none';
    const { title, archived, folder, bot } = session;
    return JSON.stringify({ title, archived, folder, bot });
  }

  /** The last record that it has of a session; 0 where it has none. */
  headOf(id: string): number {
    return this.#sessions.get(id)?.head ?? 0;
  }

  has(id: string): boolean {
    return this.#sessions.has(id);
  }
}

function rowOf({ message, rev }: Stored): HistoryRow {
  const { seq, turn, role, status, at, text } = message;
  const common = { seq, turn, rev, role, status, at, text: text.toWellFormed() };
  if (message.role === 'user') {
    const none = { attempt: null, model: null, finish: null, usage: null, error: null, thinking: null };
    return { ...common, ...none, clientId: message.id, priority: message.priority };
  }
  const { attempt, model = null, finish = null, usage, error, thinking } = message;
  return {
    ...common,
    clientId: null,
    priority: null,
    attempt,
    model,
    finish,
    usage: usage ? JSON.stringify(usage) : null,
    error: error ? JSON.stringify(error) : null,
    thinking: thinking?.toWellFormed() ?? null,
  };
}

/**
 * The storage of a Durable Object as the platform promises it. What is written between two awaits is
 * one transaction. A transaction is durable some time after it was written; a crash loses those that
 * are not, or all but the first of them. The alarm is part of the storage and of its transactions.
 */
import { DatabaseSync, type StatementSync } from 'node:sqlite';
import type { SqlPort, SqlValue } from '../../src/log/sql.ts';

type Operation =
  | { kind: 'sql'; query: string; values: (string | number | null | Uint8Array)[] }
  | { kind: 'alarm'; at: number | null }
  | { kind: 'done' }
  | { kind: 'wipe' };

/** Called before and after every write, and before reads; throws where the process ends. */
export type Guard = (label: string) => void;

/** One database for many runs: each leaves it as it was. */
export class Database {
  readonly #db = new DatabaseSync(':memory:');
  readonly #statements = new Map<string, { statement: StatementSync; reads: boolean }>();

  constructor() {
    // Sorting in a temporary file costs more than the rest of a query.
    this.#db.exec('PRAGMA temp_store = MEMORY');
  }

  prepare(query: string): { statement: StatementSync; reads: boolean } {
    let known = this.#statements.get(query);
    if (!known) {
      const statement = this.#db.prepare(query);
      known = { statement, reads: statement.columns().length > 0 };
      this.#statements.set(query, known);
    }
    return known;
  }

  exec(sql: string): void {
    this.#db.exec(sql);
  }

  tables(): string[] {
    const rows = this.prepare(`SELECT name FROM sqlite_master WHERE type = 'table'`).statement.all();
    return rows.map(({ name }) => String(name));
  }
}

export class SimStorage {
  readonly #db: Database;
  /** The transaction that the code under test is in the middle of. */
  #open: Operation[] | null = null;
  /** Written, but not yet durable. */
  #written: Operation[][] = [];
  #alarm: number | null = null;
  #durableAlarm: number | null = null;
  /** The alarm goes off; a crash before its end is durable brings it back. */
  #isFiring = false;
  #durablyFiring = false;
  #crashes = 0;
  /** Null: to be looked up. */
  #hasTables: boolean | null = null;
  /** Transactions begun so far: what is sent now may leave when that many are durable. */
  begun = 0;
  durable = 0;

  constructor(db: Database) {
    this.#db = db;
    db.exec('SAVEPOINT run; SAVEPOINT durable');
  }

  /** Puts the database back as it was before the run. */
  close(): void {
    this.#db.exec('ROLLBACK TO run; RELEASE run');
  }

  get alarm(): number | null {
    return this.#alarm;
  }

  /** Whether the code under test is in the middle of a transaction. */
  get busy(): boolean {
    return this.#open !== null;
  }

  get pending(): number {
    return this.#written.length;
  }

  /** What the code of one process sees. After its end `guard` throws, and nothing of it reaches the storage. */
  port(guard: Guard): SqlPort {
    return {
      exec: <Row extends Record<string, SqlValue>>(query: string, ...bindings: SqlValue[]) => {
        // A process that has ended must not see what its successor writes.
        guard('read');
        const { statement, reads } = this.#db.prepare(query);
        const values = bindings.map((value) => (value instanceof ArrayBuffer ? new Uint8Array(value) : value));
        if (reads) {
          const rows = statement.all(...values).map((row) => fromNode(row) as Row);
          return { toArray: () => rows };
        }
        guard('write');
        statement.run(...values);
        this.#note({ kind: 'sql', query, values });
        if (query.startsWith('CREATE')) this.#hasTables = null;
        guard('written');
        return { toArray: () => [] };
      },
      transaction: (body) => this.#transaction(body, guard),
    };
  }

  #transaction<T>(body: () => T, guard: Guard): T {
    guard('begin');
    const noted = this.#open?.length ?? 0;
    this.#db.exec('SAVEPOINT body');
    const before = this.#crashes;
    try {
      const result = body();
      this.#db.exec('RELEASE body');
      return result;
    } catch (error) {
      // A crash has thrown away the transaction and all around it.
      if (this.#crashes === before) {
        this.#db.exec('ROLLBACK TO body; RELEASE body');
        if (this.#open) this.#open.length = noted;
      }
      throw error;
    }
  }

  /** The alarm goes off: to be called when everything written is durable. */
  consumeAlarm(): void {
    this.#isFiring = true;
    this.#durablyFiring = true;
    this.#alarm = null;
    this.#durableAlarm = null;
  }

  alarmDone(): void {
    this.#isFiring = false;
    this.#note({ kind: 'done' });
  }

  /** After a crash: an alarm that was going off does so again, unless another one was set. */
  rearm(now: number): void {
    if (this.#isFiring && this.#alarm === null) {
      this.#alarm = now;
      this.#durableAlarm = now;
    }
    this.#isFiring = false;
    this.#durablyFiring = false;
  }

  setAlarm(at: number | null): void {
    this.#alarm = at;
    this.#note({ kind: 'alarm', at });
  }

  wipe(): void {
    this.#apply({ kind: 'wipe' });
    this.#note({ kind: 'wipe' });
  }

  #note(operation: Operation): void {
    if (!this.#open) {
      const transaction: Operation[] = [];
      this.#open = transaction;
      this.begun += 1;
      queueMicrotask(() => {
        if (this.#open !== transaction) return;
        this.#written.push(transaction);
        this.#open = null;
      });
    }
    this.#open.push(operation);
  }

  /** Everything written so far is on the disk. */
  flush(): void {
    this.#open = null;
    this.#written = [];
    this.durable = this.begun;
    this.#durableAlarm = this.#alarm;
    this.#durablyFiring = this.#isFiring;
    this.#db.exec('RELEASE durable; SAVEPOINT durable');
  }

  /** The process ends; of what was written but not known to be durable, the first `survivors` transactions are. */
  crash(survivors: number): void {
    this.#crashes += 1;
    this.#hasTables = null;
    const kept = this.#written.slice(0, survivors);
    this.#open = null;
    this.#db.exec('ROLLBACK TO durable');
    this.#alarm = this.#durableAlarm;
    this.#isFiring = this.#durablyFiring;
    for (const operation of kept.flat()) this.#apply(operation);
    this.flush();
  }

  #apply(operation: Operation): void {
    if (operation.kind === 'sql') {
      this.#db.prepare(operation.query).statement.run(...operation.values);
    } else if (operation.kind === 'alarm') {
      this.#alarm = operation.at;
    } else if (operation.kind === 'done') {
      this.#isFiring = false;
    } else {
      this.#hasTables = null;
      for (const table of this.#db.tables()) this.#db.exec(`DROP TABLE ${table}`);
      this.#alarm = null;
    }
  }

  /** For the checker: reads nothing into being. */
  read(query: string, ...values: (string | number)[]): Record<string, unknown>[] {
    return this.#db.prepare(query).statement.all(...values);
  }

  hasTables(): boolean {
    this.#hasTables ??= this.#db.tables().includes('session');
    return this.#hasTables;
  }
}

type Stored = string | number | bigint | null | Uint8Array;

function fromNode(row: Record<string, Stored>): Record<string, SqlValue> {
  const result: Record<string, SqlValue> = {};
  for (const name of Object.keys(row)) {
    const value = row[name] ?? null;
    if (value instanceof Uint8Array) result[name] = new Uint8Array(value).buffer;
    else result[name] = typeof value === 'bigint' ? Number(value) : value;
  }
  return result;
}

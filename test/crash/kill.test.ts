/**
 * The runtime is killed in the middle of answers, again and again, under load. Afterwards every
 * acknowledged message has exactly one reply, in the object's log and in D1. `SEED=n` repeats a run.
 */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { memoryOutbox } from '../../src/client/memory-outbox.ts';
import type { OutboxStore, SessionView } from '../../src/client/types.ts';
import { checkHistory, type SessionHistory } from '../support/history-checker.ts';
import { expectedRows } from '../support/history-model.ts';
import { eventually, readLog, readPages, readRows } from '../support/observe.ts';
import { seeded, seedFromEnvironment } from '../support/random.ts';
import { RealServer } from '../support/real-server.ts';
import type { ClientRecording } from '../support/recording.ts';
import type { RecordedClient, User } from '../support/user.ts';

const SEED = seedFromEnvironment(3);
const SESSIONS = 20;
/** `KILLS=n` makes a run longer. */
const KILLS = Number(process.env['KILLS'] ?? 10);
const USERS = 4;
/** Queued at once by those who leave; the others go on writing between the kills. */
const FIRST_MESSAGES = 8;
const ANSWER_TOKENS = 20;
/** Longer than an answer takes. */
const UNWATCHED_MS = 600;
const DRAIN_TIMEOUT_MS = 60_000;
const TEST_TIMEOUT_MS = 180_000 + KILLS * 5_000;

const random = seeded(SEED);
let server: RealServer;

beforeAll(async () => {
  server = await RealServer.start({ simulator: { tokens: ANSWER_TOKENS, tokenMs: 15 } });
});
afterAll(() => server.close());

/** Somebody in a session of their own, and all that they ever wrote and saw. */
class Person {
  /** Those who leave at the first kill; nobody connects to their sessions before the end. */
  readonly leaves: boolean;
  readonly session: string;
  readonly user: User;
  readonly recordings: ClientRecording[] = [];
  readonly written: string[] = [];
  readonly #outbox: OutboxStore = memoryOutbox();
  #current: RecordedClient | null = null;

  constructor(user: User, session: string, leaves: boolean) {
    this.user = user;
    this.session = session;
    this.leaves = leaves;
  }

  get view(): SessionView {
    if (!this.#current) throw new Error('not connected');
    return this.#current.client.view;
  }

  /** A new client, as after a reload: only the outbox is left of the one before. */
  connect(): void {
    const name = `client ${this.recordings.length}`;
    this.#current = this.user.client(this.session, name, { outbox: this.#outbox });
    this.recordings.push(this.#current.recording);
  }

  leave(): void {
    this.#current?.client.close();
    this.#current = null;
  }

  wake(): void {
    this.#current?.client.wake();
  }

  async write(): Promise<void> {
    // Characters of two to four bytes, cut by the model between its writes.
    const fault = random.next() < 0.3 ? ' fault=split-utf8' : '';
    const text = `Question ${this.written.length + 1} 👩‍🚀 in ${this.session} [[sim tokenMs=${random.between(10, 20)}${fault}]]`;
    const id = await this.#current?.client.send(text);
    if (id !== undefined) this.written.push(id);
  }

  acknowledged(): number[] {
    const frames = this.recordings.flatMap(({ connections }) => connections.flatMap(({ frames: all }) => all));
    const seqs = frames.flatMap(({ frame }) => (frame.type === 'ack' ? [frame.seq] : []));
    return [...new Set(seqs)];
  }

  /** What the end looks like, for the checker. */
  async history(): Promise<SessionHistory> {
    const { session, user, view } = this;
    const log = await readLog(user, session);
    const rowsWanted = expectedRows(log).length;
    const read = async () => readRows(await server.d1(), session);
    const rows = await eventually(read, (found) => found.length >= rowsWanted, DRAIN_TIMEOUT_MS);
    const views = [{ name: 'client', messages: view.messages, olderBefore: view.olderBefore }];
    const pages = await readPages(user, session);
    return { session, log, clients: this.recordings, atRest: true, rows, pages, views };
  }
}

async function people(): Promise<Person[]> {
  const users = Array.from({ length: USERS }, () => server.user());
  const all: Person[] = [];
  for (let index = 0; index < SESSIONS; index += 1) {
    const user = users[index % USERS] ?? server.user();
    all.push(new Person(user, await user.session(), index % 2 === 0));
  }
  return all;
}

const isAtRest = ({ view }: Person): boolean =>
  view.connection === 'live' && view.pending.length === 0 && !view.queue.running && view.queue.waiting.length === 0;

/** What keeps somebody from being at rest, for the failure's report. */
function unrest({ session, leaves, view }: Person): object {
  const { connection, retryAt, pending, queue, running, lastError, messages } = view;
  return {
    session,
    leaves,
    connection,
    retryAt,
    now: Date.now(),
    pending,
    queue,
    running,
    lastError,
    last: messages.slice(-3),
  };
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** Kills and starts again; resolves with how long it was away and when the first message was taken after. */
async function crash(probe: { user: User; session: string; asked: number }) {
  const killedAt = performance.now();
  await server.kill();
  await server.restart();
  const readyAt = performance.now();
  const wire = await probe.user.join(probe.session);
  probe.asked += 1;
  await wire.ask(`probe-${probe.asked}`, 'Are you there? [[sim tokens=1]]');
  const ackedAt = performance.now();
  wire.drop();
  return { awayMs: readyAt - killedAt, firstAckMs: ackedAt - readyAt };
}

test(
  'S1, S2, S8, S14, S16, S19: killed in the middle of answers, nothing is lost, nothing comes twice',
  async () => {
    const all = await people();
    const staying = all.filter((person) => !person.leaves);
    const leaving = all.filter((person) => person.leaves);
    const probe = { user: server.user(), session: '', asked: 0 };
    probe.session = await probe.user.session();
    for (const person of all) {
      person.connect();
      for (let count = 0; count < FIRST_MESSAGES; count += 1) await person.write();
    }

    const crashes: { awayMs: number; firstAckMs: number }[] = [];
    for (let kill = 0; kill < KILLS; kill += 1) {
      // A turn that is interrupted five times is given up (S14): every third life is long enough for one.
      if (kill % 3 === 2) await oneAnswerEach(staying);
      const untilMs = performance.now() + random.between(50, 700);
      while (performance.now() < untilMs) {
        await pause(random.between(10, 80));
        await staying[random.between(0, staying.length - 1)]?.write();
      }
      if (kill === 0) for (const person of leaving) person.leave();
      // Written and perhaps sent, but hardly acknowledged when the process dies.
      await Promise.all(staying.filter(() => random.next() < 0.5).map((person) => person.write()));
      crashes.push(await crash(probe));
      // What the page does on `online`: without it a tab that lost ten connections in a row waits for seconds.
      for (const person of staying) setTimeout(() => person.wake(), random.between(0, 150));
    }

    // Nobody connects to these: their queues have to be worked off all the same. D1 is looked at from outside.
    const unattended = await Promise.all(leaving.map((person) => answeredUnattended(person)));
    expect(unattended.filter(({ missing, failed }) => missing.length + failed.length > 0)).toEqual([]);
    // The alarm that is due at the start is let run, not put off: nobody else begins these turns again.
    expect(server.logs.filter((line) => line.includes('alarm handler canceled'))).toEqual([]);

    for (const person of leaving) person.connect();
    await eventually(
      async () => all.filter((person) => !isAtRest(person)).length,
      (left) => left === 0,
      DRAIN_TIMEOUT_MS,
    );
    expect(all.filter((person) => !isAtRest(person)).map(unrest)).toEqual([]);

    const histories = await Promise.all(all.map((person) => person.history()));
    expect(histories.flatMap(checkHistory)).toEqual([]);
    for (const [index, { log }] of histories.entries()) {
      const ids = log.flatMap((record) => (record.kind === 'message' ? [record.id] : []));
      // Delivered exactly once each, also those that lay in an outbox; whether acknowledged or not.
      expect(ids.toSorted()).toEqual(all[index]?.written.toSorted());
      expect(log.filter(({ kind }) => kind === 'reply')).toHaveLength(ids.length);
    }
    report(all, histories, crashes);
  },
  TEST_TIMEOUT_MS,
);

/** Waits until each of them has seen the end of a turn in this life, and a little longer for those whom nobody watches. */
async function oneAnswerEach(staying: readonly Person[]): Promise<void> {
  const count = ({ view }: Person): number => view.messages.filter(({ role }) => role === 'bot').length;
  const before = new Map(staying.map((person) => [person, count(person)]));
  const isFurther = (person: Person): boolean => count(person) > (before.get(person) ?? 0) || isAtRest(person);
  await eventually(
    async () => staying.every(isFurther),
    (done) => done,
    10_000,
  );
  await pause(UNWATCHED_MS);
}

interface Unattended {
  session: string;
  /** Acknowledged turns without an outcome, and those that ended otherwise than with a reply. */
  missing: number[];
  failed: string[];
}

async function answeredUnattended(person: Person): Promise<Unattended> {
  const { session } = person;
  const turns = person.acknowledged();
  const read = async (): Promise<Unattended> => {
    const rows = await readRows(await server.d1(), session);
    const ended = new Set(rows.filter(({ role }) => role === 'bot').map(({ turn }) => turn));
    const failed = rows.flatMap(({ role, status, error }) =>
      role === 'bot' && status !== 'complete' ? [error ?? status] : [],
    );
    return { session, missing: turns.filter((turn) => !ended.has(turn)), failed };
  };
  return eventually(read, ({ missing }) => missing.length === 0, DRAIN_TIMEOUT_MS);
}

function report(
  all: readonly Person[],
  histories: readonly SessionHistory[],
  crashes: readonly { awayMs: number; firstAckMs: number }[],
) {
  const records = histories.flatMap(({ log }) => log);
  const restarts = records.filter(({ kind }) => kind === 'restarted').length;
  const connections = all.flatMap(({ recordings }) => recordings.flatMap((recording) => recording.connections));
  const frames = connections.reduce((sum, connection) => sum + connection.frames.length, 0);
  const acks = all.reduce((sum, person) => sum + person.acknowledged().length, 0);
  const rows = histories.reduce((sum, history) => sum + (history.rows?.length ?? 0), 0);
  const median = (values: number[]): string =>
    `${Math.round(values.toSorted((a, b) => a - b)[values.length >> 1] ?? 0)} ms`;
  const figures = [
    `seed ${SEED}: ${crashes.length} kills under ${all.length} sessions, ${restarts} answers interrupted`,
    `${acks} messages acknowledged, 0 lost, 0 doubled; ${rows} rows in D1`,
    `${connections.length} connections, ${frames} frames checked`,
    `away ${median(crashes.map(({ awayMs }) => awayMs))}, then the first acknowledgement after ${median(crashes.map(({ firstAckMs }) => firstAckMs))}`,
  ];
  console.log(figures.join('\n'));
  // Else nothing was proved: the kills must have met answers under way.
  expect(restarts).toBeGreaterThan(KILLS);
}

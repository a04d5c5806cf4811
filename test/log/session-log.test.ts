import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { verifyChain, type ChainRow } from '../../src/log/chain.ts';
import { messagePage, pastTurns, questionOf } from '../../src/log/conversation.ts';
import { hasTables } from '../../src/log/schema.ts';
import { SessionLog } from '../../src/log/session-log.ts';
import type { LogRecord, RecordBody } from '../../src/protocol/records.ts';
import { nodeSql } from '../support/node-sql.ts';

const usage = { promptTokens: 1, answerTokens: 1, firstTokenMs: 1, totalMs: 1 };
let sql: ReturnType<typeof nodeSql>;
let log: SessionLog;
let seq = 0;

beforeEach(() => {
  sql = nodeSql();
  log = SessionLog.create(sql, 's_1', 'u_1');
  seq = 0;
});
afterEach(() => sql.close());

function append(...bodies: RecordBody[]): LogRecord[] {
  const records = bodies.map((body): LogRecord => ({ ...body, seq: ++seq, at: 1_000 + seq }));
  log.append(records, `{"seq":${seq}}`);
  return records;
}
const ask = (id: string, text = `question ${id}`): RecordBody => ({ kind: 'message', id, text, priority: 0 });
const answer = (turn: number, text: string, attempt = 1): RecordBody => ({
  kind: 'reply',
  turn,
  attempt,
  text,
  model: 'm',
  finish: 'stop',
  usage,
});

describe('the log', () => {
  test('finds the ids of messages by their places, and none of what is no message', () => {
    append(ask('a'), ask('b'), answer(1, 'text'), ask('c'));
    expect(log.messageIds([1, 3, 4, 9])).toEqual(
      new Map([
        [1, 'a'],
        [4, 'c'],
      ]),
    );
    expect(log.messageIds([])).toEqual(new Map());
  });

  test('S19: what D1 has is known at once, and noted after every eighth record: a note costs a row', () => {
    const noted: (number | undefined)[] = [];
    for (let index = 0; index < 10; index += 1) {
      append(ask(`m${index}`), answer(seq, 'hello'));
      log.markDelivered(seq);
      expect(log.session().delivered).toBe(seq);
      noted.push(SessionLog.open(sql)?.session().delivered);
    }
    expect(noted).toEqual([0, 0, 0, 8, 8, 8, 8, 16, 16, 16]);
  });

  test('what the rest of the world has is kept no longer: until then it is sent on without being read again', () => {
    const written = append(ask('a'), answer(1, 'hello'), ask('b'));
    const exec = vi.spyOn(sql, 'exec');
    expect(log.after(0, 10, 1_000)).toEqual(written);
    expect(exec).not.toHaveBeenCalled();
    log.markDelivered(2);
    exec.mockClear();
    expect(log.after(2, 10, 1_000)).toEqual(written.slice(2));
    expect(exec).not.toHaveBeenCalled();
    expect(log.after(0, 10, 1_000)).toEqual(written);
    expect(exec).toHaveBeenCalledOnce();
  });

  test('looking at an empty object writes nothing', () => {
    const empty = nodeSql();
    expect(SessionLog.open(empty)).toBeNull();
    expect(hasTables(empty)).toBe(false);
    empty.close();
  });

  test('S1: what was appended is there after opening again, with the state beside it', () => {
    const written = append(ask('a'), answer(1, 'hello'));
    const again = SessionLog.open(sql);
    expect(again?.after(0, 10, 1_000)).toEqual(written);
    expect(again?.lastState()).toBe('{"seq":2}');
    expect(again?.session()).toEqual({ id: 's_1', owner: 'u_1', delivered: 0, removed: false });
  });

  test('changes to earlier messages are found by an index that the first of them makes', () => {
    const indexes = () => sql.exec(`SELECT name FROM sqlite_master WHERE name = 'log_revisions'`).toArray().length;
    append(ask('a'), answer(1, 'hello'));
    expect(log.revisionsOf([1])).toEqual([]);
    expect(indexes()).toBe(0);
    const edit: RecordBody = { kind: 'edited', turn: 1, text: 'again' };
    // A change that is undone leaves the log as it was, and the next one finds its way all the same.
    expect(() => append(edit, ask('a'))).toThrow();
    seq = 2;
    expect(indexes()).toBe(0);
    expect(log.revisionsOf([1])).toEqual([]);
    const edited = append(edit);
    for (const opened of [log, SessionLog.open(sql)]) expect(opened?.revisionsOf([1, 5])).toEqual(edited);
    expect(indexes()).toBe(1);
  });

  test('S2: every message is found by its id, however many there are, and by who opens the log again', () => {
    expect(log.findMessage('m0')).toBeNull();
    for (let index = 0; index < 600; index += 1) append(ask(`m${index}`));
    for (const opened of [log, SessionLog.open(sql)]) {
      for (const index of [0, 1, 510, 511, 512, 513, 599]) {
        expect(opened?.findMessage(`m${index}`)?.text).toBe(`question m${index}`);
      }
      expect(opened?.findMessage('m600')).toBeNull();
    }
    const few = nodeSql();
    SessionLog.create(few, 's_2', 'u_1').append([{ ...ask('a'), seq: 1, at: 1 }], '{}');
    expect(SessionLog.open(few)?.findMessage('a')?.text).toBe('question a');
    few.close();
  });

  test('S1: what was just written is read without asking the database, and is what the database says', () => {
    const asked: string[] = [];
    const counted = {
      ...sql,
      exec: ((query, ...bindings) => (asked.push(query), sql.exec(query, ...bindings))) as typeof sql.exec,
    };
    const busy = SessionLog.open(counted);
    if (!busy) throw new Error('The log was created above.');
    const write = (...bodies: RecordBody[]): void => {
      busy.append(
        bodies.map((body): LogRecord => ({ ...body, seq: ++seq, at: 1_000 + seq })),
        '{}',
      );
    };
    for (let index = 0; index < 40; index += 1) write(ask(`m${index}`), answer(seq + 1, 'well '.repeat(index)));
    asked.length = 0;
    expect(busy.after(70, 100, 1_000_000)).toHaveLength(10);
    expect(asked).toEqual([]);
    // Too long to be kept, and what is older than what is kept.
    write(ask('long', 'x'.repeat(5_000)));
    for (let index = 40; index < 100; index += 1) write(ask(`m${index}`), answer(seq + 1, 'well'));
    const fresh = SessionLog.open(sql);
    for (const from of [0, 1, 60, 79, 80, 81, 82, 150, seq - 1, seq, seq + 1]) {
      for (const [limit, length] of [
        [3, 1_000_000],
        [64, 300],
        [64, 1_000_000],
        [1_000, 1_000_000],
      ] as const) {
        expect(busy.after(from, limit, length)).toEqual(fresh?.after(from, limit, length));
      }
    }
    busy.erase();
    expect(busy.after(0, 10, 1_000)).toEqual([]);
    expect(busy.after(seq - 1, 10, 1_000)).toEqual([]);
  });

  test('S2: an id whose record was not written is not taken', () => {
    expect(log.findMessage('a')).toBeNull();
    append(ask('x'));
    expect(() => append(ask('a'), ask('x'))).toThrow(/UNIQUE/);
    expect(log.findMessage('a')).toBeNull();
    seq = 1;
    append(ask('a'));
    expect(log.findMessage('a')).toEqual({ seq: 2, text: 'question a' });
  });

  test('S2: the database itself refuses a second record under the same client id, and keeps neither of its batch', () => {
    append(ask('a'));
    expect(() => append(answer(1, 'x'), ask('a'))).toThrow(/UNIQUE/);
    expect(log.after(0, 10, 1_000)).toHaveLength(1);
    expect(log.findMessage('a')).toEqual({ seq: 1, text: 'question a' });
    expect(log.findMessage('b')).toBeNull();
  });

  test('S5: the chain goes on over a reopening, and verifies', () => {
    append(ask('a'));
    const again = SessionLog.open(sql);
    again?.append([{ ...ask('b'), seq: 2, at: 5 }], '{}');
    expect(again?.verify()).toBeNull();
  });

  test.each([
    ['a changed body', `UPDATE log SET body = replace(body, 'question b', 'question x') WHERE seq = 2`, 2],
    ['a changed time', 'UPDATE log SET at = 1 WHERE seq = 2', 2],
    ['a missing record', 'DELETE FROM log WHERE seq = 2', 3],
    [
      'a swapped digest',
      'UPDATE log SET digest = (SELECT digest FROM log WHERE seq = 1), body = NULL WHERE seq = 2',
      2,
    ],
  ])('S5: the chain shows %s', (_, damage, at) => {
    append(ask('a'), ask('b'), ask('c'));
    sql.exec(damage);
    expect(log.verify()?.seq).toBe(at);
  });

  test('S5: an erased text leaves the chain whole', () => {
    append(ask('a'), ask('b'));
    sql.exec('UPDATE log SET body = NULL WHERE seq = 1');
    expect(log.verify()).toBeNull();
  });

  test('an empty chain holds', () => {
    const none: ChainRow[] = [];
    expect(verifyChain(none)).toBeNull();
  });

  test('reading on is bounded by count and by length, and always gets at least one record', () => {
    append(ask('a', 'x'.repeat(500)), ask('b', 'y'.repeat(500)), ask('c'));
    expect(log.after(0, 2, 10_000)).toHaveLength(2);
    expect(log.after(0, 10, 600).map((record) => record.seq)).toEqual([1, 2]);
    expect(log.after(0, 10, 1).map((record) => record.seq)).toEqual([1]);
    expect(log.after(3, 10, 1_000)).toEqual([]);
  });

  test('erasing leaves no record and a note to erase the rest', () => {
    append(ask('a'));
    log.erase();
    expect(log.after(0, 10, 1_000)).toEqual([]);
    expect(log.session().removed).toBe(true);
  });
});

describe('the conversation', () => {
  test('a page is the newest messages in order, as later records left them', () => {
    append(ask('a'), ask('b'), ask('c'), { kind: 'edited', turn: 2, text: 'edited b' }, { kind: 'cancelled', turn: 3 });
    append(answer(1, 'A'), answer(2, 'B'));
    const page = messagePage(log, Number.MAX_SAFE_INTEGER, 3);
    expect(page.messages.map((message) => [message.role, message.text, message.status])).toEqual([
      ['user', 'question c', 'cancelled'],
      ['bot', 'A', 'complete'],
      ['bot', 'B', 'complete'],
    ]);
    const earlier = messagePage(log, page.nextBefore ?? 0, 3);
    expect(earlier.messages.map((message) => message.text)).toEqual(['question a', 'edited b']);
    expect(earlier.nextBefore).toBeNull();
  });

  test('pages of any size put together give every message once, in order', () => {
    for (let turn = 0; turn < 25; turn += 1) append(ask(`q${turn}`), answer(seq + 1, `A${turn}`));
    for (const limit of [1, 2, 7, 50, 100]) {
      const seqs: number[] = [];
      let before: number | null = Number.MAX_SAFE_INTEGER;
      while (before !== null) {
        const page = messagePage(log, before, limit);
        seqs.unshift(...page.messages.map((message) => message.seq));
        before = page.nextBefore;
      }
      expect(seqs).toEqual(Array.from({ length: 50 }, (_, index) => index + 1));
    }
  });

  test('pages of long answers are cut by their length, and still give every message once', () => {
    for (let turn = 0; turn < 30; turn += 1) append(ask(`q${turn}`), answer(seq + 1, 'x'.repeat(250_000)));
    const seqs: number[] = [];
    let before: number | null = Number.MAX_SAFE_INTEGER;
    while (before !== null) {
      const page = messagePage(log, before, 200);
      expect(page.messages.reduce((sum, message) => sum + message.text.length, 0)).toBeLessThan(3 * 1024 * 1024);
      seqs.unshift(...page.messages.map((message) => message.seq));
      before = page.nextBefore;
    }
    expect(seqs).toEqual(Array.from({ length: 60 }, (_, index) => index + 1));
  });

  test('the prompt sees ended turns, newest first, each with its latest outcome and edited text', () => {
    append(ask('a'), ask('b'), { kind: 'edited', turn: 2, text: 'edited b' });
    append(
      answer(1, 'first A'),
      { kind: 'regenerated', turn: 1, attempt: 2 },
      answer(1, 'second A', 2),
      answer(2, 'B'),
    );
    append(ask('now'));
    expect([...pastTurns(log, 8)]).toEqual([
      { turn: 2, user: 'edited b', bot: 'B' },
      { turn: 1, user: 'question a', bot: 'second A' },
    ]);
    expect(questionOf(log, 2)).toBe('edited b');
    expect(questionOf(log, 4)).toBeNull();
  });

  test('the prompt reads as far back as it is asked to, past one stretch of the log', () => {
    for (let turn = 0; turn < 100; turn += 1) append(ask(`q${turn}`), answer(seq + 1, `A${turn}`));
    const turns = [...pastTurns(log, 0)];
    expect(turns).toHaveLength(100);
    expect(turns.at(-1)).toEqual({ turn: 1, user: 'question q0', bot: 'A0' });
  });
});

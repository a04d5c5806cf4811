/** The checker is only worth something if it refuses what is wrong: sound histories pass, each corruption is named. */
import { PROTOCOL_VERSION } from '../../src/protocol/limits.ts';
import { describe, expect, test } from 'vitest';
import type { LogRecord, RecordBody } from '../../src/protocol/records.ts';
import type { QueueView, ServerFrame } from '../../src/protocol/server-frames.ts';
import type { Message } from '../../src/protocol/transcript.ts';
import { checkHistory, type SessionHistory } from './history-checker.ts';
import { expectedRows, type HistoryRow } from './history-model.ts';
import type { RecordedFrame } from './recording.ts';

const BOT = { id: 'b', name: 'B', model: 'm' };
const LIMITS = { maxTextBytes: 1, maxFrameBytes: 1, maxQueue: 1, creditWindowBytes: 1 };
const USAGE = { promptTokens: 1, answerTokens: 1, firstTokenMs: 1, totalMs: 1 };

const created: RecordBody = { kind: 'created', bot: BOT, title: '' };
const ask = (id: string, priority = 0): RecordBody => ({ kind: 'message', id, text: `text of ${id}`, priority });
const reply = (turn: number, text: string, attempt = 1): RecordBody => {
  return { kind: 'reply', turn, attempt, text, model: 'm', finish: 'stop', usage: USAGE };
};
const stopped = (turn: number, text: string): RecordBody => ({ kind: 'stopped', turn, attempt: 1, text });
const restarted = (turn: number, attempt: number): RecordBody => ({ kind: 'restarted', turn, attempt });
const interrupted = (turn: number, attempt: number): RecordBody => {
  return { kind: 'failed', turn, attempt, text: '', code: 'interrupted', message: 'x' };
};

function logOf(...bodies: RecordBody[]): LogRecord[] {
  return bodies.map((body, index) => ({ ...body, seq: index + 1, at: 1_000 + index }));
}

const server = (frame: ServerFrame): RecordedFrame => ({ from: 'server', frame, length: JSON.stringify(frame).length });
const delta = (turn: number, offset: number, text: string, attempt = 1) =>
  server({ type: 'delta', turn, attempt, offset, text, channel: 'text' });
const event = (record: LogRecord | undefined) => {
  if (!record) throw new Error('no such record');
  return server({ type: 'event', ...record });
};
const ack = (id: string, seq: number) => server({ type: 'ack', id, seq, position: 0 });
const sent = (id: string): RecordedFrame => ({
  from: 'client',
  frame: { type: 'send', id, text: `text of ${id}` },
  length: 10,
});
const hello = (turn?: number, offset?: number): RecordedFrame => ({
  from: 'client',
  frame: {
    type: 'hello',
    protocol: PROTOCOL_VERSION,
    ...(turn && offset !== undefined ? { turn, attempt: 1, offset } : {}),
  },
  length: 10,
});
const welcome = (seq: number, from = seq, running: QueueView['running'] = null) =>
  server({
    type: 'welcome',
    protocol: PROTOCOL_VERSION,
    session: 's',
    epoch: 'e',
    seq,
    from,
    reset: false,
    bot: BOT,
    title: '',
    archived: false,
    tabs: 1,
    queue: { running, waiting: [] },
    limits: LIMITS,
  });

const LOG = logOf(created, ask('a'), ask('b'), reply(2, 'Hello'), reply(3, 'World'));

/** One client that saw everything of LOG, reconnecting in the middle of the first answer. */
function framesOfLog(log = LOG): [RecordedFrame[], RecordedFrame[]] {
  return [
    [
      hello(),
      welcome(1),
      sent('a'),
      ack('a', 2),
      event(log[1]),
      delta(2, 0, 'Hel'),
      sent('b'),
      ack('b', 3),
      event(log[2]),
    ],
    [
      hello(2, 3),
      welcome(3, 3, { turn: 2, attempt: 1 }),
      delta(2, 3, 'lo'),
      event(log[3]),
      delta(3, 0, 'World'),
      event(log[4]),
    ],
  ];
}

function history(change: Partial<SessionHistory> & { frames?: RecordedFrame[][] } = {}): SessionHistory {
  const { frames = framesOfLog(), ...rest } = change;
  const log = rest.log ?? LOG;
  const rows = expectedRows(log);
  const connections = frames.map((list) => ({ frames: list, unreadable: [] }));
  return {
    session: 's',
    log,
    clients: [{ name: 'tab', connections }],
    atRest: true,
    rows,
    pages: messagesOf(rows),
    views: [{ name: 'tab', messages: messagesOf(rows), olderBefore: null }],
    ...rest,
  };
}

function messagesOf(rows: readonly HistoryRow[]): Message[] {
  return rows.map(({ seq, turn, at, text, status, role, attempt }): Message => {
    if (role === 'user') {
      return { role, seq, turn, id: 'x', text, at, priority: 0, status: status === 'cancelled' ? status : 'accepted' };
    }
    const known = status === 'stopped' || status === 'failed' || status === 'superseded' ? status : 'complete';
    return { role, seq, turn, id: 'x', text, at, attempt: attempt ?? 0, status: known };
  });
}

const rulesOf = (value: SessionHistory): string[] => [...new Set(checkHistory(value).map(({ rule }) => rule))];
const inLog = (...bodies: RecordBody[]) => history({ log: logOf(created, ...bodies), frames: [] });

describe('sound histories pass', () => {
  test('two turns, a reconnect in the middle of an answer', () => {
    expect(checkHistory(history())).toEqual([]);
  });

  test.each<[string, RecordBody[]]>([
    [
      'a higher priority overtakes who waits, not who runs',
      [ask('a'), ask('b'), ask('c', 2), reply(2, ''), reply(4, ''), reply(3, '')],
    ],
    ['a restart, then the reply of the next attempt', [ask('a'), restarted(2, 2), reply(2, 'x', 2)]],
    [
      'given up after four restarts',
      [ask('a'), restarted(2, 2), restarted(2, 3), restarted(2, 4), restarted(2, 5), interrupted(2, 5)],
    ],
    [
      'a cancelled and an edited message',
      [
        ask('a'),
        ask('b'),
        ask('c'),
        { kind: 'cancelled', turn: 3 },
        { kind: 'edited', turn: 4, text: 'y' },
        reply(2, ''),
        reply(4, ''),
      ],
    ],
    [
      'stopped, then regenerated',
      [ask('a'), stopped(2, 'x'), { kind: 'regenerated', turn: 2, attempt: 2 }, reply(2, 'y', 2)],
    ],
  ])('%s', (_, bodies) => {
    expect(checkHistory(inLog(...bodies))).toEqual([]);
  });

  test('an answer that ended between two connections comes whole, by its record alone', () => {
    const [first] = framesOfLog();
    const frames = [first, [hello(2, 3), welcome(4, 3), event(LOG[3]), delta(3, 0, 'World'), event(LOG[4])]];
    expect(checkHistory(history({ frames }))).toEqual([]);
  });

  test('a hello that tells of an attempt which is over by then: what was read of it counts no more', () => {
    const log = logOf(created, ask('a'), restarted(2, 2), reply(2, 'Hello', 2));
    const first = [hello(), welcome(2), delta(2, 0, 'Hel')];
    const second = [hello(2, 3), welcome(3, 2, { turn: 2, attempt: 2 }), event(log[2]), delta(2, 0, 'Hello', 2)];
    expect(checkHistory(history({ log, frames: [first, [...second, event(log[3])]] }))).toEqual([]);
    // Answered before it was told of: it is what the attempt under way was, not the one that was read.
    const late = [hello(2, 3), welcome(4, 2, null), event(log[2]), event(log[3])];
    expect(checkHistory(history({ log, frames: [first, late] }))).toEqual([]);
  });

  test('a second hello, which is refused, changes nothing', () => {
    const [first] = framesOfLog();
    const running = { turn: 2, attempt: 1 };
    const again = [hello(2, 3), welcome(3, 3, running), hello(2, 0), delta(2, 3, 'lo'), event(LOG[3])];
    const frames = [first, again];
    expect(checkHistory(history({ frames }))).toEqual([]);
  });

  test('a turn that is not over, while the session is at work', () => {
    expect(checkHistory({ ...inLog(ask('a')), atRest: false })).toEqual([]);
  });
});

describe('what the log can do wrong', () => {
  test.each<[string, string, RecordBody[]]>([
    ['S2', 'one id, two messages', [ask('a'), ask('a'), reply(2, ''), reply(3, '')]],
    ['S3', 'a queue without bound', Array.from({ length: 102 }, (_, index) => ask(`m${index}`))],
    ['S5', 'created twice', [created]],
    ['S8', 'no reply', [ask('a')]],
    ['S8', 'two replies', [ask('a'), reply(2, 'x'), reply(2, 'x')]],
    ['S9', 'the later message is answered first', [ask('a'), ask('b'), reply(3, ''), reply(2, '')]],
    [
      'S9',
      'the lower priority is answered first',
      [ask('a'), ask('b'), ask('c', 1), reply(2, ''), reply(3, ''), reply(4, '')],
    ],
    ['S10', 'a running message is cancelled', [ask('a'), { kind: 'cancelled', turn: 2 }, reply(2, '')]],
    ['S11', 'the reply of a dead attempt', [ask('a'), restarted(2, 2), reply(2, 'x', 1)]],
    ['S11', 'attempts go back', [ask('a'), restarted(2, 1), reply(2, 'x', 1)]],
    [
      'S13',
      'regenerated while another runs',
      [ask('a'), reply(2, ''), ask('b'), { kind: 'regenerated', turn: 2, attempt: 2 }, reply(4, '')],
    ],
    ['S14', 'given up too early', [ask('a'), restarted(2, 2), interrupted(2, 2)]],
    ['S14', 'restarted for ever', [ask('a'), ...[2, 3, 4, 5, 6].map((n) => restarted(2, n)), reply(2, '', 6)]],
  ])('%s: %s', (rule, _, bodies) => {
    expect(rulesOf(inLog(...bodies))).toContain(rule);
  });

  test('S5: a gap', () => {
    expect(rulesOf(history({ log: LOG.filter(({ seq }) => seq !== 4), frames: [] }))).toContain('S5');
  });
});

describe('what clients can have been told wrong', () => {
  const [first, second] = framesOfLog();

  test('S1: an acknowledged message is not in the log', () => {
    expect(rulesOf(history({ frames: [[hello(), welcome(5), sent('lost'), ack('lost', 6)]] }))).toEqual(['S1']);
    expect(rulesOf(history({ acknowledged: [{ id: 'z', seq: 3, text: 'z' }] }))).toEqual(['S1']);
  });

  test('S1: a record that was shown is not in the log: the log went back', () => {
    const shown = event({ ...ask('c'), seq: 6, at: 1 });
    expect(rulesOf(history({ frames: [[hello(), welcome(5), shown]] }))).toEqual(['S1']);
  });

  test('S2: acknowledged with another text, or as two records', () => {
    expect(rulesOf(history({ acknowledged: [{ id: 'a', seq: 2, text: 'other' }] }))).toEqual(['S2']);
    const log = logOf(created, ask('a'), reply(2, ''), ask('a'), reply(4, ''));
    const frames = [[hello(), welcome(1), ack('a', 2), ack('a', 4)]];
    expect(rulesOf(history({ log, frames }))).toEqual(['S2']);
  });

  test('S5: a record was rewritten after it was shown', () => {
    const log = LOG.map((record) => (record.seq === 4 ? { ...record, at: 5 } : record));
    expect(rulesOf(history({ log }))).toEqual(['S5']);
  });

  test('S9: a queue in the wrong order', () => {
    const frame = welcome(5);
    if (frame.from !== 'server' || frame.frame.type !== 'welcome') throw new Error('not a welcome');
    const waiting = [4, 3].map((turn) => ({ turn, id: `q${turn}`, priority: 0 }));
    frame.frame.queue = { running: null, waiting };
    expect(rulesOf(history({ frames: [[hello(), frame]] }))).toEqual(['S9']);
  });

  test('S11: attempts mix: a piece of the dead attempt after the restart', () => {
    const log = logOf(created, ask('a'), restarted(2, 2), reply(2, 'Hello', 2));
    const sound = [hello(), welcome(2), delta(2, 0, 'He'), event(log[2]), delta(2, 0, 'Hello', 2), event(log[3])];
    expect(checkHistory(history({ log, frames: [sound] }))).toEqual([]);
    const mixed = sound.toSpliced(4, 0, delta(2, 2, 'llo'));
    expect(rulesOf(history({ log, frames: [mixed] }))).toEqual(['S11']);
  });

  test('S12: a piece after an acknowledged stop', () => {
    const log = logOf(created, ask('a'), stopped(2, 'Hel'));
    const frames = [hello(), welcome(2), delta(2, 0, 'Hel'), event(log[2]), delta(2, 3, 'lo')];
    expect(rulesOf(history({ log, frames: [frames] }))).toEqual(['S12']);
  });

  test('S15: a record is left out, comes twice, or in another order', () => {
    expect(rulesOf(history({ frames: [first.toSpliced(4, 1), second] }))).toEqual(['S15']);
    expect(rulesOf(history({ frames: [[...first, event(LOG[2])], second] }))).toEqual(['S15']);
  });

  test.each<[string, RecordedFrame[]]>([
    ['is missing in the middle', [delta(2, 0, 'He'), delta(2, 3, 'lo')]],
    ['is missing at the end', [delta(2, 0, 'Hel')]],
    ['comes twice at another place', [delta(2, 0, 'Hello'), delta(2, 5, 'lo')]],
    ['is another one', [delta(2, 0, 'Help!')]],
    ['is a character too much', [delta(2, 0, 'Hello!')]],
  ])('S16: a piece %s', (_, deltas) => {
    const frames = [[hello(), welcome(3), ...deltas, event(LOG[3])]];
    expect(rulesOf(history({ frames }))).toEqual(['S16']);
  });

  test('S16: resumed at another character than was said', () => {
    expect(rulesOf(history({ frames: [first, second.with(2, delta(2, 2, 'lo'))] }))).toEqual(['S16']);
    expect(rulesOf(history({ frames: [first, second.with(2, delta(2, 4, 'o'))] }))).toEqual(['S16']);
  });

  test('S16: half of a surrogate pair', () => {
    const log = logOf(created, ask('a'), reply(2, '👩'));
    const frames = [[hello(), welcome(2), delta(2, 0, '\ud83d'), delta(2, 1, '\udc69'), event(log[2])]];
    expect(rulesOf(history({ log, frames }))).toEqual(['S16']);
  });

  test('S17: more than the window without credit', () => {
    const big = 'x'.repeat(200_000);
    const log = logOf(created, ask('a'), reply(2, big + big));
    const frames = [hello(), welcome(2), delta(2, 0, big), delta(2, big.length, big), event(log[2])];
    expect(rulesOf(history({ log, frames: [frames] }))).toEqual(['S17']);
  });

  test('wire: an unreadable frame, a record before the welcome, a second welcome', () => {
    expect(rulesOf(history({ frames: [[hello(), welcome(5), welcome(5)]] }))).toEqual(['wire']);
    expect(rulesOf(history({ frames: [[hello(), event(LOG[1])]] }))).toEqual(['wire']);
    const clients = [{ name: 'tab', connections: [{ frames: [], unreadable: ['{'] }] }];
    expect(rulesOf(history({ clients }))).toEqual(['wire']);
  });
});

describe('what D1 and readers at rest can have wrong', () => {
  const rows = expectedRows(LOG);
  const last = rows.at(-1);
  if (!last) throw new Error('no rows');

  test.each<[string, HistoryRow[]]>([
    ['lacks a row', rows.slice(1)],
    ['has a row twice', [...rows, last]],
    ['has another text', rows.with(last.seq - 2, { ...last, text: 'word' })],
    ['has another status', rows.with(last.seq - 2, { ...last, status: 'failed' })],
    ['has another attempt', rows.with(last.seq - 2, { ...last, attempt: 2 })],
    ['has a row of nothing', [...rows, { ...last, seq: 9 }]],
  ])('S19: D1 %s', (_, stored) => {
    expect(rulesOf(history({ rows: stored }))).toEqual(['S19']);
  });

  test('S15: pages or a view without a message, with one twice, in another order, with another text', () => {
    const messages = messagesOf(rows);
    const [one, two] = messages;
    if (!one || !two) throw new Error('no messages');
    const wrong = [
      messages.slice(1),
      [...messages, two],
      messages.toReversed(),
      messages.with(0, { ...one, text: '' }),
    ];
    for (const shown of wrong) {
      expect(rulesOf(history({ pages: shown }))).toEqual(['S15']);
      expect(rulesOf(history({ views: [{ name: 'tab', messages: shown, olderBefore: null }] }))).toEqual(['S15']);
    }
  });
});

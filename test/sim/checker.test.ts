/** The checker of simulated runs refuses what is wrong: for every rule a sound history, spoiled in one place. */
import { PROTOCOL_VERSION } from '../../src/protocol/limits.ts';
import { describe, expect, test } from 'vitest';
import type { LogRecord, RecordBody } from '../../src/protocol/records.ts';
import { expectedRows } from '../support/history-model.ts';
import { check } from './checker.ts';
import type { Ask, BotFacts, Handled, Rest, SimHistory } from './history.ts';

const BOT = { id: 'b', name: 'B', model: 'm' };
const USAGE = { promptTokens: 1, answerTokens: 1, firstTokenMs: 1, totalMs: 1 };
const SETTINGS = JSON.stringify({ title: 'T', archived: false, folder: '', bot: 'b' });

const ask = (id: string): RecordBody => ({ kind: 'message', id, text: `text of ${id}`, priority: 0 });
const reply = (turn: number, text: string, attempt = 1): RecordBody => {
  return { kind: 'reply', turn, attempt, text, model: 'm', finish: 'stop', usage: USAGE };
};

/** Two turns, one stopped, one of them answered anew. */
const BODIES: RecordBody[] = [
  { kind: 'created', bot: BOT, title: 'T' },
  ask('a'),
  ask('b'),
  { kind: 'edited', turn: 3, text: 'b, but better' },
  reply(2, 'Hello \u{1f600}'),
  { kind: 'stopped', turn: 3, attempt: 1, text: 'Wor' },
  { kind: 'regenerated', turn: 3, attempt: 2 },
  reply(3, 'World', 2),
];
const LOG: LogRecord[] = BODIES.map((body, index) => ({ ...body, seq: index + 1, at: 1_000 + index }));
const HASHES = LOG.map(({ seq }) => `hash ${seq}`);

const PAST = [{ user: 'text of a', bot: 'Hello \u{1f600}' }];
const said = (of: Partial<Ask>): Ask => ({
  turn: 2,
  attempt: 1,
  bot: 'b',
  name: 'b 4',
  boot: 1,
  startAt: 100,
  startClock: 1_100,
  endAt: 900,
  told: 1,
  question: 'text of a',
  past: [],
  isWhole: true,
  head: 2,
  text: '',
  thinking: '',
  end: 'whole',
  code: null,
  lateReads: 0,
  closedAt: null,
  ...of,
});
const ASKS = [
  said({ text: 'Hello \u{1f600}' }),
  said({ turn: 3, question: 'b, but better', past: PAST, head: 5, text: 'Wor\ud83d', end: 'aborted', closedAt: 6 }),
  said({ turn: 3, attempt: 2, question: 'b, but better', past: PAST, head: 7, text: 'World' }),
];

const SENT: Handled = {
  frame: { type: 'send', id: 'a', text: 'text of a' },
  tab: 'p#1',
  at: 1_000,
  greeted: true,
  headBefore: 1,
  headAfter: 2,
  answers: [{ type: 'ack', code: null, id: 'a' }],
  degraded: true,
};
const refused = (code: string): Handled['answers'] => [{ type: 'error', code, id: 'a' }];

const TYPING: Handled = { ...SENT, frame: { type: 'typing' }, headAfter: 1, answers: [] };
const UNREADABLE: Handled = { ...SENT, frame: null, headAfter: 1, answers: refused('bad_frame') };

const REST: Rest = {
  pending: [],
  alarm: false,
  timers: 0,
  writesWhileIdle: 0,
  wakesWhileIdle: 0,
  unsettled: [],
  settings: { stored: SETTINGS, logged: SETTINGS },
};

const BOTS: BotFacts = {
  isFree: true,
  told: [],
  slots: {},
  flights: [],
  jumps: [],
  known: [],
  missed: [],
  waits: [],
  ends: [],
  sleepless: [],
};

const wanted = (id: string) => ({ id, text: '', page: 'p', touched: false, withdrawn: false });

function history(change: Partial<SimHistory> = {}, log = LOG): SimHistory {
  return {
    session: { session: 's', log, clients: [], atRest: true, rows: expectedRows(log), pages: null },
    removed: false,
    leftovers: [],
    readOn: [],
    asks: ASKS,
    handled: [SENT],
    wanted: [wanted('a'), wanted('b')],
    anchors: [
      { seq: 2, hash: 'hash 2' },
      { seq: 8, hash: 'hash 8' },
    ],
    hashes: HASHES,
    chain: null,
    state: JSON.stringify({ seq: 8, running: null, waiting: [], last: { turn: 3, attempt: 2 } }),
    wakes: [{ moment: 'flush', work: true, armed: true }],
    shown: [{ tab: 'p', turn: 2, attempt: 1, text: 'Hello', thinking: '' }],
    queues: [{ tab: 'p', running: 2, waiting: [3] }],
    delivered: [0, 2, 8],
    rest: REST,
    bots: BOTS,
    faults: [],
    spared: false,
    queueLimit: 3,
    frameBurst: 2,
    badFrameLimit: 2,
    ...change,
  };
}

const rulesOf = (value: SimHistory): string[] => [...new Set(check(value).map(({ rule }) => rule))];
const replaceAsk = (index: number, change: Partial<Ask>): Ask[] =>
  ASKS.map((one, at) => (at === index ? { ...one, ...change } : one));

test('a sound history passes', () => {
  expect(check(history())).toEqual([]);
});

describe('what is refused', () => {
  test.each<[string, string, Partial<SimHistory>]>([
    ['S1', 'a durable record is gone', { anchors: [{ seq: 9, hash: 'hash 9' }] }],
    ['S3', 'refused while there was room', { handled: [{ ...SENT, headAfter: 1, answers: refused('queue_full') }] }],
    ['S3', 'more wait than may', { queueLimit: 0 }],
    ['S4', 'neither acknowledged nor refused', { handled: [{ ...SENT, answers: [] }] }],
    [
      'S4',
      'the acknowledgement of another',
      { handled: [{ ...SENT, answers: [{ type: 'ack', code: null, id: 'z' }] }] },
    ],
    ['S5', 'a durable record is another one', { anchors: [{ seq: 2, hash: 'rewritten' }] }],
    ['S5', 'the chain is broken', { chain: '3: the body is not the one that was written' }],
    [
      'S6',
      'the stored state runs a turn that has ended',
      { state: JSON.stringify({ seq: 8, running: { turn: 3, attempt: 2 }, waiting: [], last: null }) },
    ],
    [
      'S6',
      'the stored state has another end',
      { state: JSON.stringify({ seq: 7, running: null, waiting: [], last: { turn: 3, attempt: 2 } }) },
    ],
    ['S7', 'refused, and yet it changed the log', { handled: [{ ...SENT, answers: refused('id_conflict') }] }],
    ['S7', 'an unreadable frame passes', { handled: [{ ...SENT, frame: null, answers: [] }] }],
    ['S8', 'it never comes to rest', { rest: null }],
    ['S8', 'a reply, although the stream broke', { asks: replaceAsk(0, { end: 'failed', code: 'idle_timeout' }) }],
    ['S9', 'a tab shows the same turn twice', { queues: [{ tab: 'p', running: 2, waiting: [3, 3] }] }],
    ['S9', 'a tab shows that one waits behind nothing', { queues: [{ tab: 'p', running: null, waiting: [3] }] }],
    ['S11', 'asked twice for one attempt', { asks: [...ASKS, said({ text: 'Hello \u{1f600}' })] }],
    ['S11', 'an answer that the model never gave', { asks: ASKS.slice(0, 2) }],
    ['S12', 'the stream was left open', { asks: replaceAsk(1, { end: 'open' }) }],
    ['S12', 'the stream was closed later', { asks: replaceAsk(1, { closedAt: 8 }) }],
    ['S12', 'the stopped text is not what had come', { asks: replaceAsk(1, { text: 'Worl' }) }],
    ['S12', 'read on after its end', { asks: replaceAsk(1, { lateReads: 2 }) }],
    [
      'S13',
      'regenerated from a stale base',
      {
        handled: [
          { ...SENT, frame: { type: 'regenerate', turn: 3, baseSeq: 5 }, headBefore: 6, headAfter: 7, answers: [] },
        ],
      },
    ],
    [
      'S13',
      'regenerated from a base that is not there yet',
      {
        handled: [
          { ...SENT, frame: { type: 'regenerate', turn: 3, baseSeq: 7 }, headBefore: 6, headAfter: 7, answers: [] },
        ],
      },
    ],
    [
      'S17',
      'credit is refused',
      { handled: [{ ...SENT, headAfter: 1, frame: { type: 'credit', bytes: 1 }, answers: refused('rate_limited') }] },
    ],
    ['S24', 'a tab acts as often as it likes', { handled: [TYPING, TYPING, TYPING] }],
    ['S24', 'unreadable frames without end', { handled: [UNREADABLE, UNREADABLE, UNREADABLE] }],
    [
      'wire',
      'a second hello is served',
      { handled: [{ ...TYPING, frame: { type: 'hello', protocol: PROTOCOL_VERSION } }] },
    ],
    ['wire', 'served before hello', { handled: [{ ...TYPING, greeted: false }] }],
    ['S15', 'a tab still shows a queue', { rest: { ...REST, unsettled: ['p shows a queue'] } }],
    ['S16', 'the reply is not what the model said', { asks: replaceAsk(0, { text: 'Hello!' }) }],
    [
      'S16',
      'a tab shows what the model did not say',
      { shown: [{ tab: 'p', turn: 2, attempt: 1, text: 'Hullo', thinking: '' }] },
    ],
    [
      'S16',
      'a tab shows an answer that nobody gave',
      { shown: [{ tab: 'p', turn: 9, attempt: 1, text: 'x', thinking: '' }] },
    ],
    ['S18', 'work without an alarm', { wakes: [{ moment: 'crash', work: true, armed: false }] }],
    ['S18', 'an alarm without work', { rest: { ...REST, alarm: true } }],
    ['S18', 'a timer without work', { rest: { ...REST, timers: 1 } }],
    ['S18', 'woken while idle', { rest: { ...REST, wakesWhileIdle: 1 } }],
    ['S18', 'writes while idle', { rest: { ...REST, writesWhileIdle: 1 } }],
    ['S19', 'D1 has other settings', { rest: { ...REST, settings: { stored: 'none', logged: SETTINGS } } }],
    ['S19', 'the position goes back', { delivered: [0, 5, 3] }],
    ['S19', 'D1 lacks a row', { session: { ...history().session, rows: expectedRows(LOG).slice(1) } }],
    ['S20', 'the question as it was first sent', { asks: replaceAsk(1, { question: 'text of b' }) }],
    ['S20', 'the prompt lacks an earlier turn', { asks: replaceAsk(2, { past: [] }) }],
    [
      'S20',
      'the prompt has the answer that is replaced',
      { asks: replaceAsk(2, { past: [{ user: 'b, but better', bot: 'Wor' }, ...PAST] }) },
    ],
    ['S22', 'an erased session stays in D1', { removed: true, leftovers: ['the session in D1'] }],
    ['S22', 'the model speaks on after the erasure', { removed: true, readOn: ['2.1'] }],
    ['S22', 'an erased session is still answered', { removed: true, asks: replaceAsk(0, { end: 'open' }) }],
    ['S23', 'a message is lost', { wanted: [wanted('c')] }],
    ['S23', 'a message overtakes an earlier one', { wanted: [wanted('b'), wanted('a')] }],
    [
      'S10',
      'another message than the one named is changed',
      { handled: [{ ...SENT, frame: { type: 'edit', id: 'a', text: '' }, headBefore: 3, headAfter: 4, answers: [] }] },
    ],
    [
      'S23',
      'a message is given up over a refusal that passes',
      { rest: { ...REST, pending: [{ id: 'c', refused: 'queue_full' }] } },
    ],
    ['S23', 'a message still waits to be sent', { rest: { ...REST, pending: [{ id: 'c', refused: null }] } }],
    ['fault', 'an error reached the platform', { faults: ['alarm: it broke'] }],
  ])('%s: %s', (rule, _, change) => {
    expect(rulesOf(history(change))).toContain(rule);
  });

  test('S21: a session that was left alone was restarted', () => {
    const log = LOG.with(6, { kind: 'restarted', turn: 3, attempt: 2, seq: 7, at: 1 });
    expect(rulesOf(history({ spared: true }, log))).toContain('S21');
    expect(rulesOf(history({ spared: true }))).toEqual([]);
  });

  test.each<[string, RecordBody]>([
    ['a message', { kind: 'message', id: 'c', text: 'é'.repeat(16_385), priority: 0 }],
    ['an answer', { ...reply(3, 'x'.repeat(262_145), 2) }],
    ['a title', { kind: 'updated', title: 'x'.repeat(201) }],
  ])('S24: %s without bound', (_, body) => {
    expect(rulesOf(history({}, [...LOG, { ...body, seq: 9, at: 1 }]))).toContain('S24');
  });
});

test('what is no fault of the session passes', () => {
  // A prompt with room for no more than it was given.
  expect(check(history({ asks: replaceAsk(2, { past: [], isWhole: false }) }))).toEqual([]);
  // As many frames as it may, refusals, credit, and more a second later.
  const later = { ...TYPING, at: TYPING.at + 1_000 };
  const free = [
    { ...TYPING, answers: refused('rate_limited') },
    { ...TYPING, frame: { type: 'credit' as const, bytes: 1 } },
  ];
  expect(check(history({ handled: [TYPING, TYPING, ...free, later, later] }))).toEqual([]);
  // A question that waited for a transaction that was lost has never left the object.
  expect(check(history({ asks: [said({ end: 'unsent', question: 'lost' }), ...ASKS] }))).toEqual([]);
  // A text that its writer changed or withdrew meanwhile may stand elsewhere, or nowhere.
  const touched = { ...wanted('c'), touched: true, withdrawn: true };
  expect(check(history({ wanted: [wanted('b'), { ...wanted('a'), touched: true }, touched] }))).toEqual([]);
});

/** The checker of simulated runs refuses what is wrong: for every rule a sound history, spoiled in one place. */
import { PROTOCOL_VERSION } from '../../src/protocol/limits.ts';
import { describe, expect, test } from 'vitest';
import type { LogRecord, RecordBody } from '../../src/protocol/records.ts';
import { expectedRows } from '../support/history-model.ts';
import { check } from './checker.ts';
import type { Ask, BotFacts, Flight, Told, Handled, Rest, SimHistory } from './history.ts';

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
  mute: [],
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

/** Two turns of real bots: the first with a lease, the second failed as the bot said. */
const BY = { id: 'b0', name: 'b0 4', revision: 4 };
const LED: LogRecord[] = [
  { kind: 'created' as const, bot: { id: 'b0', name: 'b0', model: 'm' }, title: 'T' },
  { kind: 'message' as const, id: 'a', text: '@Helper, hi', priority: 0 },
  { ...reply(2, 'Hello'), by: { id: 'helper', name: 'helper 2', revision: 2 } },
  { ...ask('b') },
  { kind: 'restarted' as const, turn: 4, attempt: 2 },
  { kind: 'failed' as const, turn: 4, attempt: 2, text: 'Wo', code: 'bot_stopped' as const, message: '.', by: BY },
].map((body, index): LogRecord => ({ ...body, seq: index + 1, at: 1_000 + index }));

const told = (of: Partial<Told> & Pick<Told, 'answer'>): Told => ({
  bot: 'b0',
  boot: 1,
  claim: { turn: 4, attempt: 2, priority: 0, phase: 'waiting', progressed: false },
  calledAt: 1_000,
  calledClock: 1_000,
  at: 1_000,
  isLate: false,
  isSkewed: false,
  running: '4.1',
  ...of,
});
const GO: Told['answer'] = { do: 'go', revision: 4, leaseMs: 5_000, callAgainMs: 1_000 };
const FREE: Told['answer'] = { do: 'go', revision: 2, leaseMs: null, callAgainMs: 1_000, unasked: true };
const FAIL: Told['answer'] = { do: 'fail', code: 'bot_stopped', message: '.' };
const WAIT: Told['answer'] = { do: 'wait', reason: 'rate', place: 1, callAgainMs: 1_000 };
const RUNNING: NonNullable<Told['claim']> = { turn: 4, attempt: 2, priority: 0, phase: 'running', progressed: true };
const HELPED: Told['claim'] = { turn: 2, attempt: 1, priority: 0, phase: 'waiting', progressed: false };
const TOLD = [
  told({ bot: 'helper', claim: HELPED, calledAt: 100, calledClock: 100, at: 150, answer: FREE }),
  told({ answer: GO }),
  told({ claim: RUNNING, calledAt: 2_000, calledClock: 2_000, at: 2_100, answer: FAIL }),
];
const LED_ASKS = [
  said({ question: 'hi', bot: 'helper', name: 'helper 2', startAt: 150, startClock: 150, endAt: 900, text: 'Hello' }),
  said({
    ...{
      turn: 4,
      attempt: 2,
      bot: 'b0',
      name: 'b0 4',
      startAt: 1_000,
      startClock: 1_000,
      endAt: 2_100,
      told: 2,
      head: 5,
    },
    ...{
      question: 'text of b',
      past: [{ user: '@Helper, hi', bot: 'Hello' }],
      text: 'Wo',
      end: 'aborted',
      closedAt: 6,
    },
  }),
];
const flight = (of: Partial<Flight>): Flight => {
  return { bot: 'b0', who: 's', startAt: 0, endAt: null, dueAt: null, isSkewed: false, ...of };
};
const replaceTold = (index: number, change: Partial<Told>): Partial<BotFacts> => ({
  told: TOLD.map((one, at) => (at === index ? { ...one, ...change } : one)),
});

function led(bots: Partial<BotFacts> = {}, asks = LED_ASKS, log = LED): SimHistory {
  const hashes = log.map(({ seq }) => `hash ${seq}`);
  return {
    ...history({ asks, hashes, anchors: [], handled: [], wanted: [], shown: [], queues: [], delivered: [] }, log),
    state: JSON.stringify({ seq: log.length, running: null, waiting: [], last: { turn: 4, attempt: 2 } }),
    bots: { ...BOTS, isFree: false, told: TOLD, known: ['b0', 'helper'], slots: { b0: 1 }, ...bots },
  };
}
const replaceLed = (index: number, change: Partial<Ask>): Ask[] =>
  LED_ASKS.map((one, at) => (at === index ? { ...one, ...change } : one));
const recordLed = (index: number, change: object): LogRecord[] =>
  LED.map((one, at) => (at === index ? { ...one, ...change } : one));

describe('bots', () => {
  test('a sound history passes', () => {
    expect(check(led())).toEqual([]);
    // Within the second of a bot without limits turns begin unasked.
    expect(check(led({}, replaceLed(0, { startAt: 1_050, startClock: 1_050, endAt: 1_060 })))).toEqual([]);
    // Time that passed at once made the timer late, or the clock was set meanwhile.
    const late = replaceLed(1, { endAt: 6_000, startAt: 1_000 });
    const silent = { told: TOLD.slice(0, 2) };
    const failed = { ...silent, jumps: [{ from: 3_000, to: 6_000 }] };
    expect(rulesOf(led(failed, late))).not.toContain('S26');
    // Told to wait, it asked anew and was refused; without the refusal nobody said that it fails.
    const toldToWait = told({ claim: RUNNING, at: 2_100, answer: WAIT });
    const refused = told({ claim: { ...RUNNING, phase: 'waiting', attempt: 3 }, at: 2_100, answer: FAIL });
    expect(rulesOf(led({ told: [...TOLD.slice(0, 2), toldToWait, refused] }))).not.toContain('S26');
    expect(rulesOf(led({ told: [...TOLD.slice(0, 2), toldToWait] }))).toContain('S26');
    // Slots: one after the other.
    expect(check(led({ flights: [flight({ endAt: 10 }), flight({ startAt: 10 })] }))).toEqual([]);
  });

  test.each<[string, string, SimHistory]>([
    ['S25', 'begun while it was told to wait', led(replaceTold(1, { answer: { ...FAIL } }))],
    ['S25', 'begun after its lease', led({}, replaceLed(1, { startAt: 6_001, endAt: 6_100 }))],
    [
      'S25',
      'begun unasked, by leave for another turn',
      led(replaceTold(0, { claim: RUNNING, answer: { ...FREE, unasked: false } })),
    ],
    ['S25', 'begun unasked after the second', led({}, replaceLed(0, { startAt: 1_200, startClock: 1_200 }))],
    ['S25', 'leave of another process', led(replaceTold(1, { boot: 2 }))],
    ['S25', 'leave of another bot', led(replaceTold(1, { bot: 'helper' }))],
    ['S25', 'a tab shows another place', led({ waits: [{ tab: 'p', shown: 'line 2', told: 'line 1' }] })],
    ['S25', 'a tab shows no reason', led({ waits: [{ tab: 'p', shown: '-', told: 'stopped 0' }] })],
    [
      'S26',
      'it runs on in the last second of its lease',
      led({ told: TOLD.slice(0, 2) }, replaceLed(1, { endAt: 5_500 })),
    ],
    ['S26', 'told to end, it runs on', led({}, replaceLed(1, { endAt: 2_500 }))],
    ['S26', 'told to end, it fails with another code', led({}, LED_ASKS, recordLed(5, { code: 'line_full' }))],
    [
      'S26',
      'told to wait, it fails',
      led(replaceTold(2, { answer: { do: 'wait', reason: 'line', place: 1, callAgainMs: 1 } })),
    ],
    ['S26', 'it does not say that it goes on', led({ mute: ['4.2'] })],
    ['S27', 'it counts as begun again without leave', led(replaceTold(1, { answer: { do: 'nothing' } }))],
    ['S28', 'it fails although nobody said so', led({ told: TOLD.slice(0, 2) })],
    ['S28', 'a bot that lets everyone begin fails it', led({ isFree: true, told: [] })],
    ['S28', 'a sleeping turn keeps a timer', led({ sleepless: ['stopped 30000'] })],
    ['S29', 'the own bot answers instead of the one named', led({}, replaceLed(0, { bot: 'b0', name: 'b0 2' }))],
    ['S29', 'the name is asked along', led({}, replaceLed(0, { question: '@Helper, hi' }))],
    ['S29', 'a name that is nobody is taken for a bot', led({ known: ['b0'] })],
    ['S29', 'asked under an old definition', led({}, replaceLed(0, { name: 'helper 1' }))],
    ['S29', 'the outcome names another bot', led({}, LED_ASKS, recordLed(2, { by: BY }))],
    ['S29', 'the outcome names nobody', led({}, LED_ASKS, recordLed(2, { by: undefined }))],
    ['slots', 'one more than there are slots', led({ flights: [flight({}), flight({ startAt: 10 })] })],
  ])('%s: %s', (rule, _, value) => {
    expect(rulesOf(value)).toContain(rule);
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

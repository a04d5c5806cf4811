import { describe, expect, test } from 'vitest';
import { MAX_QUEUE_LENGTH } from '../../src/protocol/limits.ts';
import type { Command } from '../../src/session/command.ts';
import { EMPTY_STATE, type SessionState } from '../../src/session/state.ts';
import { MAX_RESTARTS, transition, type Effect } from '../../src/session/transition.ts';

const bot = { id: 'default', name: 'Default', model: 'm' };
const usage = { promptTokens: 1, answerTokens: 1, firstTokenMs: 1, totalMs: 1 };

/** Runs commands that must all be accepted; returns the last state and its effects. */
function run(state: SessionState, ...commands: Command[]): { state: SessionState; effects: Effect[] } {
  let effects: Effect[] = [];
  for (const command of commands) {
    const result = transition(state, command, 1_000);
    if (!result.ok) throw new Error(result.error.code);
    ({ state, effects } = result);
  }
  return { state, effects };
}

function refusal(state: SessionState, command: Command): string | undefined {
  const result = transition(state, command, 1_000);
  return result.ok ? undefined : result.error.code;
}

const send = (id: string, text = `text of ${id}`, priority = 0): Command => ({
  type: 'send',
  id,
  text,
  priority,
  prior: null,
});
const reply = (turn: number, attempt = 1): Command => ({
  type: 'finish',
  outcome: { kind: 'reply', turn, attempt, text: 'answer', model: 'm', finish: 'stop', usage },
});
// A title of its own, so that no message makes one and turns are easy to count.
const created = run(EMPTY_STATE, { type: 'create', bot, title: 'T' }).state;

describe('accepting', () => {
  test('S9: a message to a quiet session runs at once; the next waits behind it', () => {
    const first = run(created, send('a'));
    expect(first.state.running).toMatchObject({ turn: 2, attempt: 1 });
    expect(first.effects).toEqual([
      { type: 'ack', id: 'a', seq: 2, position: 0 },
      { type: 'generate', turn: 2, attempt: 1 },
    ]);
    const second = run(first.state, send('b'));
    expect(second.state.waiting.map((turn) => turn.id)).toEqual(['b']);
    expect(second.effects).toEqual([{ type: 'ack', id: 'b', seq: 3, position: 1 }]);
  });

  test('S2: the same id and text is acknowledged again with the same seq; another text is refused', () => {
    const { state } = run(created, send('a'));
    const prior = { seq: 2, text: 'text of a' };
    const again = transition(state, { type: 'send', id: 'a', text: 'text of a', priority: 0, prior }, 1);
    expect(again).toMatchObject({ ok: true, records: [], effects: [{ type: 'ack', seq: 2, position: 0 }] });
    expect(refusal(state, { type: 'send', id: 'a', text: 'other', priority: 0, prior })).toBe('id_conflict');
  });

  test('S3: the line is bounded and the refusal is retryable', () => {
    const ids = Array.from({ length: MAX_QUEUE_LENGTH + 1 }, (_, index) => send(`m${index}`));
    const { state } = run(created, ...ids);
    const result = transition(state, send('one-more'), 1);
    expect(result).toMatchObject({ ok: false, error: { code: 'queue_full', retryable: true } });
  });

  test('the first message gives an untitled session its title', () => {
    const untitled = run(EMPTY_STATE, { type: 'create', bot, title: '' }).state;
    expect(run(untitled, send('a', '  How do tides work?\nPlease explain.')).state.title).toBe('How do tides work?');
  });
});

describe('turns', () => {
  test('S9: the line is ordered by priority, then by the log', () => {
    const { state } = run(
      created,
      send('a'),
      send('low'),
      send('high', 'x', 2),
      send('mid', 'x', 1),
      send('high2', 'x', 2),
    );
    expect(state.waiting.map((turn) => turn.id)).toEqual(['high', 'high2', 'mid', 'low']);
    expect(run(state, reply(2)).state.running?.id).toBe('high');
  });

  test('S10: only a waiting message can be edited or cancelled', () => {
    const { state } = run(created, send('a'), send('b'));
    expect(refusal(state, { type: 'edit', id: 'a', text: 'x' })).toBe('not_queued');
    expect(refusal(state, { type: 'cancel', id: 'nobody' })).toBe('not_queued');
    expect(run(state, { type: 'cancel', id: 'b' }).state.waiting).toEqual([]);
  });

  test('S11: an outcome of another attempt is dropped', () => {
    const { state } = run(created, send('a'), { type: 'recover' });
    expect(state.running?.attempt).toBe(2);
    expect(transition(state, reply(2, 1), 1)).toMatchObject({ ok: true, records: [], effects: [] });
    expect(run(state, reply(2, 2)).state.running).toBeNull();
  });

  test('S12: stop ends the turn with what had come and starts the next', () => {
    const { state } = run(created, send('a'), send('b'));
    const result = transition(state, { type: 'stop', turn: 2, partial: { text: 'half' } }, 1);
    expect(result).toMatchObject({
      ok: true,
      records: [{ kind: 'stopped', turn: 2, text: 'half' }],
      effects: [
        { type: 'abort', turn: 2, attempt: 1 },
        { type: 'generate', turn: 3, attempt: 1 },
      ],
    });
    expect(refusal(state, { type: 'stop', turn: 3, partial: { text: '' } })).toBe('not_running');
  });

  test('S13: regenerating asks for the next attempt of the last turn, and only of that', () => {
    const { state } = run(created, send('a'), reply(2));
    expect(refusal(state, { type: 'regenerate', turn: 2, baseSeq: 2 })).toBe('stale_base');
    expect(refusal(state, { type: 'regenerate', turn: 2, baseSeq: 900 })).toBe('stale_base');
    expect(refusal(state, { type: 'regenerate', turn: 1, baseSeq: 3 })).toBe('nothing_to_regenerate');
    const again = run(state, { type: 'regenerate', turn: 2, baseSeq: 3 });
    expect(again.effects).toEqual([{ type: 'generate', turn: 2, attempt: 2 }]);
    expect(refusal(again.state, { type: 'regenerate', turn: 2, baseSeq: 4 })).toBe('nothing_to_regenerate');
    expect(run(again.state, reply(2, 2)).state.last).toMatchObject({ turn: 2, attempt: 2 });
  });

  test('S14: a turn that keeps ending its process is given up, and the line goes on', () => {
    const restarts = Array.from({ length: MAX_RESTARTS }, (): Command => ({ type: 'recover' }));
    const { state } = run(created, send('a'), send('b'), ...restarts);
    expect(state.running).toMatchObject({ turn: 2, attempt: MAX_RESTARTS + 1 });
    const last = transition(state, { type: 'recover' }, 1);
    expect(last).toMatchObject({ ok: true, records: [{ kind: 'failed', turn: 2, code: 'interrupted' }] });
    expect(last.ok && last.state.running).toMatchObject({ turn: 3, attempt: 1, restarts: 0 });
  });

  test('an update that changes nothing writes nothing', () => {
    expect(transition(created, { type: 'update', title: 'T', archived: false }, 1)).toMatchObject({ records: [] });
    expect(run(created, { type: 'update', archived: true }).state).toMatchObject({ archived: true, title: 'T' });
  });
});

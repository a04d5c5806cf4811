import fc from 'fast-check';
import { expect, test, vi } from 'vitest';
import { pastTurns, questionOf } from '../../src/log/conversation.ts';
import { RecentTurns } from '../../src/log/recent-turns.ts';
import { SessionLog } from '../../src/log/session-log.ts';
import type { LogRecord } from '../../src/protocol/records.ts';
import { EMPTY_STATE, type SessionState } from '../../src/session/state.ts';
import { transition } from '../../src/session/transition.ts';
import { commandOf, steps } from '../session/commands.ts';
import { nodeSql } from '../support/node-sql.ts';

/** A log that grows by what commands make of it, and turns remembered beside it. */
function growing() {
  const sql = nodeSql();
  const log = SessionLog.create(sql, 's', 'u');
  const records: LogRecord[] = [];
  let recent = new RecentTurns(log);
  let state: SessionState = EMPTY_STATE;
  return {
    log,
    records,
    take(command: Parameters<typeof transition>[1]): void {
      const result = transition(state, command, records.length + 1);
      if (!result.ok || result.records.length === 0) return;
      log.append(result.records, '{}');
      records.push(...result.records);
      for (const record of result.records) recent.appended(record);
      ({ state } = result);
    },
    recent: () => recent,
    reboot: () => void (recent = new RecentTurns(log)),
    close: () => sql.close(),
  };
}

test('what is remembered is what the log says, whatever happened and whenever the object was built anew', () => {
  fc.assert(
    fc.property(steps, fc.array(fc.nat(60), { maxLength: 4 }), (commands, reboots) => {
      const world = growing();
      world.take({ type: 'create', bot: { id: 'b', name: 'B', model: 'm' }, title: 'T' });
      commands.forEach((step, index) => {
        if (reboots.includes(index)) world.reboot();
        if (index % 3 === 0) expect([...world.recent().before(0)]).toEqual([...pastTurns(world.log, 0)]);
        world.take(commandOf(step, world.records));
      });
      for (const turn of [0, 2, 3, 5]) {
        expect([...world.recent().before(turn)]).toEqual([...pastTurns(world.log, turn)]);
        expect(world.recent().question(turn)).toBe(questionOf(world.log, turn) ?? '');
      }
      world.close();
    }),
    { numRuns: 300 },
  );
});

test('a conversation longer than what is kept goes on from the log, without a gap or a doubled turn', () => {
  const world = growing();
  world.take({ type: 'create', bot: { id: 'b', name: 'B', model: 'm' }, title: 'T' });
  const usage = { promptTokens: 0, answerTokens: 0, firstTokenMs: 0, totalMs: 0 };
  for (let index = 0; index < 200; index += 1) {
    world.take({ type: 'send', id: `m${index}`, text: `question ${index}`, priority: 0, prior: null });
    const turn = world.records.length;
    world.take({
      type: 'finish',
      outcome: {
        kind: 'reply',
        turn,
        attempt: 1,
        text: 'x'.repeat(index % 7 === 0 ? 5_000 : 5),
        model: 'm',
        finish: 'stop',
        usage,
      },
    });
    if (index === 100) void [...world.recent().before(0)];
  }
  const turns = [...world.recent().before(0)];
  expect(turns).toHaveLength(200);
  expect(turns).toEqual([...pastTurns(world.log, 0)]);
  world.close();
});

test.each([
  ['turns', 5, 64],
  ['characters', 4_096, 31],
])('as many turns are kept as the bound on their %s allows, also after many were answered again', (_, length, kept) => {
  const world = growing();
  world.take({ type: 'create', bot: { id: 'b', name: 'B', model: 'm' }, title: 'T' });
  const usage = { promptTokens: 0, answerTokens: 0, firstTokenMs: 0, totalMs: 0 };
  const answer = (turn: number, attempt: number): void =>
    world.take({
      type: 'finish',
      outcome: { kind: 'reply', turn, attempt, text: 'x'.repeat(length), model: 'm', finish: 'stop', usage },
    });
  for (let index = 0; index < 100; index += 1) {
    world.take({ type: 'send', id: `m${index}`, text: 'q'.repeat(10), priority: 0, prior: null });
    const turn = world.records.length;
    answer(turn, 1);
    void world.recent().before(0).next();
    world.take({ type: 'regenerate', turn, baseSeq: world.records.length });
    answer(turn, 2);
  }
  const reads = vi.spyOn(world.log, 'conversationBefore');
  const turns = world.recent().before(0);
  let fromMemory = 0;
  while (!turns.next().done && reads.mock.calls.length === 0) fromMemory += 1;
  expect(fromMemory).toBe(kept);
  world.close();
});

import { describe, expect, it } from 'vitest';
import { TurnFailure } from '../../src/responders/port.ts';
import { FakeWorld, settle } from '../support/fake-world.ts';

async function worldWithTurn(text = 'a private question'): Promise<FakeWorld> {
  const fake = new FakeWorld();
  fake.runtime.send({ id: 'm1', text, priority: 0 });
  await settle();
  return fake;
}

describe('a line for each turn', () => {
  it('says how it ended, for whom and how long it took, and nothing that was said', async () => {
    const fake = await worldWithTurn();
    await fake.model.say('a private answer');
    fake.time += 250;
    await fake.model.end();
    expect(fake.notes).toEqual([
      {
        event: 'turn',
        session: 's_test',
        turn: 2,
        attempt: 1,
        bot: 'b',
        outcome: 'reply',
        code: null,
        promptTokens: 1,
        answerTokens: 1,
        waitedMs: 0,
        firstTokenMs: 0,
        totalMs: 250,
        overheadMs: null,
      },
    ]);
  });

  it('has the code of a failure and not its sentence, which may quote the question', async () => {
    const fake = await worldWithTurn('marker');
    await fake.model.fail(new TurnFailure('endpoint_error', 'The endpoint refused the request: cannot read "marker"'));
    expect(fake.notes).toEqual([expect.objectContaining({ outcome: 'failed', code: 'endpoint_error' })]);
    expect(JSON.stringify(fake.notes)).not.toContain('marker');
    // Nor does the bot hear of it, which shows operators its last error.
    await fake.advance(2_000);
    const told = fake.calls.flatMap(({ call }) => call.ended);
    expect(told).toEqual([expect.objectContaining({ message: 'The endpoint refused the request.' })]);
  });

  it('is written for a turn that was stopped, and for one that its bot refused before it began', async () => {
    const stopped = await worldWithTurn();
    await stopped.model.say('part');
    stopped.runtime.dispatch({ type: 'stop', turn: 2, partial: stopped.runtime.partial(2) });
    expect(stopped.notes).toEqual([expect.objectContaining({ outcome: 'stopped', code: null })]);

    const refused = new FakeWorld();
    refused.bot = () => ({ do: 'fail', code: 'line_full', message: 'The line is full.' });
    refused.runtime.send({ id: 'm1', text: 'hello', priority: 0 });
    await settle();
    expect(refused.notes).toEqual([expect.objectContaining({ outcome: 'failed', code: 'line_full', totalMs: 0 })]);
  });
});

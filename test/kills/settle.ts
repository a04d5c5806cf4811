/** After the last kill: everything that was begun has to come to its end, and then it is all held against the rules. */
import { checkHistory, type SessionHistory, type Violation } from '../support/history-checker.ts';
import { expectedRows } from '../support/history-model.ts';
import { eventually, readLog, readPages, readRows } from '../support/observe.ts';
import { accountOf, add, EMPTY_ACCOUNT, type Account } from './account.ts';
import type { Conversation } from './conversation.ts';
import type { Lane } from './lane.ts';
import type { Stage } from './stage.ts';

export interface Verdict {
  violations: Violation[];
  account: Account;
  /** Rows of messages in D1. */
  rows: number;
  connections: number;
  frames: number;
}

/** Heals, drains and checks one lane; the last life must have begun. */
export async function settle(stage: Stage, lane: Lane, timeoutMs: number): Promise<Verdict> {
  const violations: Violation[] = [];
  const unattended = lane.conversations.filter(({ attended }) => !attended);
  await Promise.all(lane.conversations.map((conversation) => conversation.post()));
  // First those whom nobody visits. D1 is looked at from outside: a look at the object would wake it.
  const unanswered = await Promise.all(unattended.map((left) => answeredUnattended(stage, left, timeoutMs)));
  violations.push(...unanswered.flat());
  lane.openAll();
  const restless = await eventually(
    async () => lane.conversations.filter((conversation) => !conversation.isAtRest()),
    (left) => left.length === 0,
    timeoutMs,
  );
  violations.push(...restless.map((left) => ({ rule: 'S8', detail: `not at rest: ${JSON.stringify(left.unrest())}` })));

  const { conversations } = lane;
  const histories = await Promise.all(conversations.map((conversation) => historyOf(stage, conversation, timeoutMs)));
  let account = EMPTY_ACCOUNT;
  for (const [index, { log }] of histories.entries()) {
    const conversation = conversations[index];
    if (!conversation) continue;
    const { session, written } = conversation;
    account = add(account, accountOf({ session, log, written, acknowledgements: conversation.acknowledgements() }));
  }
  violations.push(...histories.flatMap(checkHistory));
  const others = conversations.map(({ session }) => session);
  violations.push(...(await lane.removals.check(await stage.d1(), others, timeoutMs)));
  if (stage.putOff > 0)
    violations.push({ rule: 'S18', detail: `an alarm that was due was put off ${stage.putOff} times` });
  lane.closeAll();
  const connections = histories.flatMap(({ clients }) => clients.flatMap((client) => client.connections));
  return {
    violations,
    account,
    rows: histories.reduce((sum, { rows }) => sum + (rows?.length ?? 0), 0),
    connections: connections.length,
    frames: connections.reduce((sum, { frames }) => sum + frames.length, 0),
  };
}

/** S18: what was accepted is answered and delivered by the alarm alone. */
async function answeredUnattended(stage: Stage, conversation: Conversation, timeoutMs: number): Promise<Violation[]> {
  const { session } = conversation;
  const turns = conversation.acknowledgements().map(({ seq }) => seq);
  const read = async () => {
    const rows = await readRows(await stage.d1(), session);
    const answered = new Set(rows.filter(({ role }) => role === 'bot').map(({ turn }) => turn));
    return turns.filter((turn) => !answered.has(turn));
  };
  const missing = await eventually(read, (left) => left.length === 0, timeoutMs);
  return missing.map((turn) => ({ rule: 'S18', detail: `${session}: nobody answered turn ${turn} unasked` }));
}

async function historyOf(stage: Stage, conversation: Conversation, timeoutMs: number): Promise<SessionHistory> {
  const { session, user } = conversation;
  const log = await readLog(user, session);
  const wanted = expectedRows(log).length;
  const read = async () => readRows(await stage.d1(), session);
  const rows = await eventually(read, (found) => found.length >= wanted, timeoutMs);
  return { ...conversation.told(), log, atRest: true, rows, pages: await readPages(user, session) };
}

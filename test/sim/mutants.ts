/**
 * Planted bugs: what a tired engineer might write. Each is a change of the source that applies in exactly
 * one place; the simulator and its checker have to notice every one of them.
 */
import type { Patch } from './hooks.ts';

export interface Mutant {
  name: string;
  patches: Patch[];
}

/** A bug of one place. */
function bug(name: string, file: string, find: string, replace: string): Mutant {
  return { name, patches: [{ file, find, replace }] };
}

const CORE: Mutant[] = [
  bug(
    'the same id with another text is accepted',
    'session/transition.ts',
    `prior.text === text ? [] : refuse('id_conflict', 'This id belongs to another message.', id)`,
    `[]`,
  ),
  bug(
    'a message sent twice is two',
    'session/transition.ts',
    'if (prior) return',
    'if (prior && prior.text !== text) return',
  ),
  bug(
    'one more than the queue holds',
    'session/transition.ts',
    'state.waiting.length >= MAX',
    'state.waiting.length > MAX',
  ),
  bug(
    'the running message can be cancelled',
    'session/transition.ts',
    'const waiting = state.waiting.find(',
    'const waiting = [...state.waiting, ...(state.running ? [state.running] : [])].find(',
  ),
  bug('stop ends whatever runs', 'session/transition.ts', 'if (running?.turn !== command.turn)', 'if (!running)'),
  bug('regenerate ignores baseSeq', 'session/transition.ts', 'command.baseSeq < last.seq', 'command.baseSeq < 0'),
  bug(
    'regenerate while another turn runs',
    'session/transition.ts',
    'if (state.running || last?.turn',
    'if (last?.turn',
  ),
  bug('regenerate keeps the attempt', 'session/transition.ts', 'attempt: last.attempt + 1', 'attempt: last.attempt'),
  bug(
    'restart keeps the attempt',
    'session/transition.ts',
    `kind: 'restarted', turn, attempt: attempt + 1`,
    `kind: 'restarted', turn, attempt`,
  ),
  bug('restarts without end', 'session/transition.ts', 'restarts < MAX_RESTARTS', 'restarts < 1_000'),
  bug('gives up too early', 'session/transition.ts', 'restarts < MAX_RESTARTS', 'restarts < 1'),
  bug('stop starts nothing next', 'session/transition.ts', 'if (is) effects.push', 'if (is && !was) effects.push'),
  bug(
    'no acknowledgement for a duplicate',
    'session/transition.ts',
    `if (command.type === 'send') {`,
    `if (command.type === 'send' && !command.prior) {`,
  ),
  bug('priority is ignored', 'session/evolve.ts', 'other.priority < turn.priority', 'other.priority < 0'),
  bug(
    'equal priority overtakes',
    'session/evolve.ts',
    'other.priority < turn.priority',
    'other.priority <= turn.priority',
  ),
  bug(
    'the last one in line runs first',
    'session/evolve.ts',
    'const [first, ...rest] = state.waiting;',
    'const [first, ...rest] = [...state.waiting].reverse();',
  ),
  bug(
    'cancelled turns run',
    'session/evolve.ts',
    'state.waiting.filter((waiting) => waiting.turn !== record.turn)',
    'state.waiting',
  ),
  bug('a restart forgets its number', 'session/evolve.ts', '        attempt: record.attempt,\n', ''),
  bug(
    'the last turn is forgotten',
    'session/evolve.ts',
    'last: { turn, id, attempt, seq: record.seq }',
    'last: state.last',
  ),
];

const LOG: Mutant[] = [
  bug('records are read from one too early', 'log/session-log.ts', 'seq > ?1 AND seq <=', 'seq >= ?1 AND seq <='),
  bug('pages overlap', 'log/session-log.ts', 'seq < ?1 AND kind', 'seq <= ?1 AND kind'),
  bug(
    'edits are not seen',
    'log/session-log.ts',
    `kind IN ('edited', 'cancelled', 'regenerated') AND turn IN`,
    `kind IN ('cancelled', 'regenerated') AND turn IN`,
  ),
  bug('the chain forgets its last link', 'log/session-log.ts', '    this.#last = last;\n', ''),
  bug('a new process begins a new chain', 'log/session-log.ts', 'if (last) log.#last', 'if (!last) log.#last'),
  bug('the position is written one too low', 'log/session-log.ts', 'SET delivered = ?', 'SET delivered = ? - 1'),
  bug('a deletion is not remembered', 'log/session-log.ts', `this.#write('UPDATE session SET removed = 1');`, ''),
  bug(
    'the turns kept for prompts have superseded answers',
    'log/recent-turns.ts',
    '(this.#turns ?? []).filter((other) => other.turn !== turn.turn)',
    '[...(this.#turns ?? [])]',
  ),
  bug(
    'the turns kept for prompts have the answer that is replaced',
    'log/recent-turns.ts',
    'if (past.turn !== turn) yield past;',
    'yield past;',
  ),
  bug(
    'an edit is not kept for the prompt',
    'log/recent-turns.ts',
    'this.#questions.set(record.turn, record.text);',
    '',
  ),
  bug('turns that were let go are forgotten', 'log/recent-turns.ts', '      this.#complete = false;\n    }', '    }'),
  bug('the turns kept for prompts stand the wrong way round', 'log/recent-turns.ts', 'newest.toReversed()', 'newest'),
  bug('the prompt has superseded answers', 'log/conversation.ts', 'if (seen.has(outcome.turn)) continue;', ''),
  bug('the prompt has the answer that is replaced', 'log/conversation.ts', 'new Set([turn])', 'new Set<number>()'),
  bug(
    'the question is asked as it was first sent',
    'log/conversation.ts',
    'return revised(log, [record])[0]?.text ?? null;',
    'return record.text;',
  ),
];

const RUNTIME: Mutant[] = [
  bug(
    'acknowledged before it is written',
    'objects/session-runtime.ts',
    `    if (result.records.length > 0) this.#commit(result.state, result.records, at);
    for (const effect of result.effects) this.#perform(effect, from);`,
    `    for (const effect of result.effects) if (effect.type === 'ack') this.#perform(effect, from);
    if (result.records.length > 0) this.#commit(result.state, result.records, at);
    for (const effect of result.effects) if (effect.type !== 'ack') this.#perform(effect, from);`,
  ),
  bug(
    'no alarm for new work',
    'objects/session-runtime.ts',
    'this.#alarm.keep();\n    const listeners',
    'const listeners',
  ),
  bug('the alarm is not set again', 'objects/work-alarm.ts', 'if (nextAt !== null) this.#set(nextAt);', ''),
  bug(
    'a running turn is no work',
    'objects/work-alarm.ts',
    'this.#work.busy() || this.#work.head() >',
    'this.#work.head() >',
  ),
  bug(
    'an undelivered record is no work',
    'objects/work-alarm.ts',
    ' || this.#work.head() > this.#delivery.session.delivered',
    '',
  ),
  bug(
    'an alarm that went off counts as set',
    'objects/work-alarm.ts',
    '    this.#dueAt = null;\n    const until',
    '    const until',
  ),
  bug(
    'a new process does not take up the turn',
    'objects/session-runtime.ts',
    `if (this.#state.running) this.dispatch({ type: 'recover' });\n    else this`,
    'this',
  ),
  bug('stop keeps the model speaking', 'objects/session-runtime.ts', '        this.#generation.abort();\n', ''),
  {
    name: 'no fence: what is over still answers',
    patches: [
      {
        file: 'objects/session-runtime.ts',
        find: '        this.#generation.abort();\n        this.#generation = null;\n',
        replace: '',
      },
      {
        file: 'objects/session-runtime.ts',
        find: 'if (!outcome || this.#generation !== generation) return;',
        replace: 'if (!outcome) return;',
      },
      {
        file: 'session/transition.ts',
        find: 'state.running?.turn === turn && state.running.attempt === attempt',
        replace: 'state.running !== null',
      },
    ],
  },
  {
    name: 'a late piece ends a turn that was stopped',
    patches: [
      {
        file: 'objects/generation.ts',
        find: '        if (signal.aborted) return null;\n',
        replace: '        if (signal.aborted) return this.#failure(null);\n',
      },
      {
        file: 'objects/session-runtime.ts',
        find: 'if (!outcome || this.#generation !== generation) return;',
        replace: 'if (!outcome) return;',
      },
      {
        file: 'session/transition.ts',
        find: 'state.running?.turn === turn && state.running.attempt === attempt',
        replace: 'state.running !== null',
      },
    ],
  },
  bug(
    'tabs are not told of records',
    'objects/session-runtime.ts',
    'this.tabs.pumpAll();\n    if (before',
    'if (before',
  ),
  bug('tabs are not told of pieces', 'objects/session-runtime.ts', '() => this.tabs.pumpAll(),', '() => {},'),
  bug(
    'a deletion is not followed up',
    'objects/session-runtime.ts',
    `'The session was deleted.');\n    this.#alarm.keep();`,
    `'The session was deleted.');`,
  ),
  bug('a deletion lets the model speak on', 'objects/session-runtime.ts', 'this.#generation?.abort();', ''),
  bug(
    'a failed alarm is left to the platform',
    'objects/work-alarm.ts',
    'nextAt = this.#ports.now() + ALARM_RETRY_MS;',
    'throw error;',
  ),
  bug(
    'stop keeps nothing',
    'objects/socket-frames.ts',
    'partial: runtime.partial(frame.turn)',
    `partial: { text: '' }`,
  ),
  bug(
    'credit wakes nobody',
    'objects/socket-frames.ts',
    '      runtime.tabs.pump(tab);\n      return null;',
    '      return null;',
  ),
  bug(
    'hello puts a tab one record ahead',
    'objects/socket-frames.ts',
    'tab.seq = from;',
    'tab.seq = Math.min(from + 1, state.seq);',
  ),
  bug(
    'a failure drops what had come',
    'objects/generation.ts',
    `kind: 'failed', turn, attempt, text,`,
    `kind: 'failed', turn, attempt, text: '',`,
  ),
  bug('thinking is taken for text', 'objects/generation.ts', 'this.thinking += step', 'this.text += step'),
];

const TABS: Mutant[] = [
  bug(
    'the window is ignored',
    'objects/tab.ts',
    'this.#unread < CREDIT_STEP_BYTES || this',
    'this.#unread >= 0 || this',
  ),
  bug('credit is not counted', 'objects/tab.ts', 'Math.max(0, this.#unread - length)', 'this.#unread'),
  bug('the wrong slice', 'objects/tabs.ts', 'text: whole.slice(offset)', 'text: whole.slice(offset + 1)'),
  bug('the piece of another tab', 'objects/tabs.ts', '${channel}.${offset}.', '${channel}.'),
  bug(
    'a new attempt goes on where the old one was',
    'objects/tabs.ts',
    'tab.turn !== answer.turn || tab.attempt !== answer.attempt',
    'tab.turn !== answer.turn',
  ),
  bug('the place is not kept over hibernation', 'objects/tabs.ts', 'if (tab.seq !== before) tab.save();', ''),
  bug('everybody counts as silent', 'objects/tabs.ts', 'silentMs > SILENCE_TIMEOUT_MS', 'silentMs >= 0'),
];

const DELIVERY: Mutant[] = [
  bug(
    'the position is kept before D1 confirmed',
    'objects/delivery.ts',
    `      await this.#inTime(this.#ports.deliver(this.session, records));
      this.#log.markDelivered(last.seq);`,
    `      this.#log.markDelivered(last.seq);
      await this.#inTime(this.#ports.deliver(this.session, records));`,
  ),
  bug(
    'a failed delivery counts',
    'objects/delivery.ts',
    'this.#ports.deliver(this.session, records));',
    'this.#ports.deliver(this.session, records).catch(() => {}));',
  ),
  bug(
    'the first record of a batch is left out',
    'objects/delivery.ts',
    'deliver(this.session, records)',
    'deliver(this.session, records.slice(1))',
  ),
  bug(
    'the position runs ahead',
    'objects/delivery.ts',
    'this.session.delivered = last.seq;',
    'this.session.delivered = last.seq + 1;',
  ),
  bug(
    'no second try',
    'objects/delivery.ts',
    'Math.min(RETRY_LAST_MS, RETRY_FIRST_MS',
    'Math.max(1e15, RETRY_FIRST_MS',
  ),
  bug('a failed erasure counts', 'objects/delivery.ts', 'return this.#failed(error);', 'return null;'),
  bug(
    'waits for ever for a call that nobody answers',
    'objects/delivery.ts',
    `=> reject(new Error('D1_TIMEOUT: no answer came'))`,
    '=> {}',
  ),
  bug('the last record is not due', 'objects/delivery.ts', 'if (waiting <= 0)', 'if (waiting <= 1)'),
];

const CLIENT: Mutant[] = [
  bug(
    'what was on the wire is not sent again',
    'client/outbox.ts',
    `    this.#online = false;\n    this.#inFlight = null;`,
    '    this.#online = false;',
  ),
  bug(
    'a later message overtakes a refused one',
    'client/outbox.ts',
    'this.#inFlight !== null || this.#shelf.loading',
    'this.#shelf.loading',
  ),
  bug(
    'a refusal that passes is for ever',
    'client/outbox.ts',
    'else if (error.retryable)',
    'else if (error.retryable && error.id === undefined)',
  ),
  bug(
    'hello claims more than was read',
    'client/session-client.ts',
    'offset: text.length,',
    'offset: text.length + 1,',
  ),
  bug(
    'hello forgets the records it has',
    'client/session-client.ts',
    'if (lastSeq > 0) hello.seq = lastSeq;',
    'if (lastSeq > 0) hello.seq = lastSeq - 1;',
  ),
  bug(
    'never connects again',
    'client/connection.ts',
    `deadlines.set('retry', this.#retryAt, () => this.connect());`,
    '',
  ),
  bug(
    'silence is not noticed',
    'client/connection.ts',
    `if (this.#silenceAt !== null) this.lose('Nothing was heard of the server.');`,
    '',
  ),
  bug('credit is never returned', 'client/connection.ts', `bytes > 0 && this.send(`, `bytes < 0 && this.send(`),
  bug('a reset keeps what was shown', 'client/transcript-view.ts', '    this.#list = [];\n', ''),
  bug('replaced answers are shown as good', 'client/transcript-view.ts', ` || record.kind === 'regenerated'`, ''),
  bug(
    'a reset is not obeyed',
    'client/session-picture.ts',
    'if (frame.reset || frame.from > this.#lastSeq) this.#reset(frame.from);',
    '',
  ),
  bug(
    'a message is queued twice',
    'client/live-queue.ts',
    '      if (isQueued(queue, turn)) return queue;\n      const',
    '      const',
  ),
  bug(
    'an ended turn stays in the queue',
    'client/live-queue.ts',
    'return isOver ? promote(without(queue, turn)) : queue;',
    'return isOver ? without(queue, turn) : queue;',
  ),
  bug(
    'a delta is put at the end, wherever it belongs',
    'client/answer.ts',
    'offset === read.length ? read + text : read.slice(0, offset) + text',
    'read + text',
  ),
];

export const MUTANTS: readonly Mutant[] = [...CORE, ...LOG, ...RUNTIME, ...TABS, ...DELIVERY, ...CLIENT];

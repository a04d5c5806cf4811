/** Planted bugs in the session at work: its alarm, its answers, its erasure. */
import { bug, type Mutant } from './mutant.ts';

export const RUNTIME_MUTANTS: readonly Mutant[] = [
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
    'this.#alarm.keep();\n    for (const listener',
    'for (const listener',
  ),
  bug(
    'the alarm is not set again',
    'objects/work-alarm.ts',
    'if (nextAt !== null) this.#set(nextAt);\n    else if',
    'if',
  ),
  bug(
    'the alarm is taken back too early',
    'objects/work-alarm.ts',
    '    const until = this.#ports.now() + MAX_ALARM_MS;\n',
    '    const until = this.#ports.now() + MAX_ALARM_MS;\n    if (this.#dueAt !== null) this.#clear();\n',
  ),
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
    'a new process works at what only the note lacks',
    'objects/session-runtime.ts',
    'isQuiet ? this.#state.seq : 0',
    '0',
  ),
  bug(
    'a new process takes all for delivered',
    'objects/session-runtime.ts',
    'isQuiet ? this.#state.seq : 0',
    'this.#state.seq',
  ),
  bug(
    'a new process does not take up the turn',
    'objects/session-runtime.ts',
    '    void this.#runner.resume(running.turn, running.attempt);\n    this.#alarm',
    '    this.#alarm',
  ),
  bug('stop keeps the model speaking', 'objects/turn-runner.ts', '    generation?.abort();\n', ''),
  {
    name: 'no fence: what is over still answers',
    patches: [
      {
        file: 'objects/turn-runner.ts',
        find: '    this.#generation = null;\n    generation?.abort();\n',
        replace: '',
      },
      {
        file: 'objects/turn-runner.ts',
        find: 'outcome: Outcome): void {\n    if (this.#generation !== generation) return;',
        replace: 'outcome: Outcome): void {',
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
        find: '        if (signal.aborted) break;\n',
        replace: '        if (signal.aborted) return this.#failure(null);\n',
      },
      {
        file: 'objects/turn-runner.ts',
        find: 'outcome: Outcome): void {\n    if (this.#generation !== generation) return;',
        replace: 'outcome: Outcome): void {',
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
    'this.tabs.pumpAll();\n    this.#queueMayHaveChanged',
    'this.#queueMayHaveChanged',
  ),
  bug('tabs are not told of pieces', 'objects/session-runtime.ts', '() => this.tabs.pumpAll(),', '() => {},'),
  bug(
    'a deletion is not followed up',
    'objects/session-runtime.ts',
    `'The session was deleted.');\n    this.#alarm.keep();`,
    `'The session was deleted.');`,
  ),
  bug('a deletion lets the model speak on', 'objects/session-runtime.ts', '    this.#runner.end();\n', ''),
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
    `kind: 'failed', turn, attempt, ...this.partial(),`,
    `kind: 'failed', turn, attempt, text: '',`,
  ),
  bug('thinking is taken for text', 'objects/generation.ts', 'this.thinking += step', 'this.text += step'),

  bug(
    'a deletion leaves its tabs connected',
    'objects/session-runtime.ts',
    `this.tabs.closeAll(closeCode, 'The session was deleted.');`,
    'void closeCode;',
  ),
  bug(
    'a deletion is forgotten until the next process',
    'objects/session-runtime.ts',
    '    this.#delivery.session.removed = true;\n',
    '',
  ),
  bug(
    'closing sockets of a deleted session are taken for open ones',
    'objects/session-runtime.ts',
    'this.tabs.restore(this.removed ? [] : sockets, ports.now());',
    'this.tabs.restore(sockets, ports.now());',
  ),
  bug('what is erased is erased for ever', 'objects/work-alarm.ts', '    this.#gone = true;\n', ''),
  bug(
    'a surrogate pair is torn',
    'responders/pieces.ts',
    'tail >= 0xd800 && tail <= 0xdbff',
    'tail >= 0xd800 && !tail',
  ),
  bug(
    'who waits for an answer looks into a log that was deleted',
    'objects/session-runtime.ts',
    'if (this.removed || this.#pending(turn)) return null;',
    'if (this.#pending(turn)) return null;',
  ),
];

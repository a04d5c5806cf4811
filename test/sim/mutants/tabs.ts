/** Planted bugs in what is told to tabs and taken from them. */
import { bug, type Mutant } from './mutant.ts';

export const TABS_MUTANTS: readonly Mutant[] = [
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
  bug('everybody counts as silent', 'objects/tabs.ts', 'now - at > SILENCE_TIMEOUT_MS', 'now - at >= 0'),

  bug('a second hello is served', 'objects/socket-frames.ts', 'if (tab.seq === null) return hello(', 'return hello('),
  bug(
    'tabs are served before hello',
    'objects/socket-frames.ts',
    `  if (tab.seq === null) {
    return refuse(tab, { code: 'hello_required', message: 'The first frame is "hello".', retryable: false });
  }
`,
    '',
  ),
  bug(
    'credit counts as a frame too many',
    'objects/socket-frames.ts',
    `frame.type !== 'credit' && !tab.mayAct`,
    '!tab.mayAct',
  ),
  bug(
    'a tab may act as often as it likes',
    'objects/tab.ts',
    'this.#frames.take(now);',
    'this.#frames.take(now) || true;',
  ),
  bug('unreadable frames have no end', 'objects/socket-frames.ts', 'tab.badFrames += 1;', 'tab.badFrames = 1;'),
  bug(
    'a tab is believed that claims more than there is',
    'objects/socket-frames.ts',
    'known !== undefined && known <= state.seq && state',
    'known !== undefined && state',
  ),
  bug(
    'hibernation forgets who said hello',
    'objects/tab.ts',
    'new Tab(socket, { seq, proof, acceptedAt, heardAt })',
    'new Tab(socket, { seq: null, proof, acceptedAt, heardAt })',
  ),
  bug(
    'the frame of another record',
    'objects/tabs.ts',
    'this.#recent.set(record.seq, encode',
    'this.#recent.set(record.seq - 1, encode',
  ),
];

/**
 * Planted bugs in the headless client. Two that stood here could not be noticed, since nothing is wrong with
 * them in this house: a `hello` that names one record too few is only sent that one again, which the client
 * passes over; and pieces that are put at the end wherever they belong belong at the end, as this server
 * sends no piece twice. `test/client` holds the client to PROTOCOL.md there.
 */
import { bug, type Mutant } from './mutant.ts';

export const CLIENT_MUTANTS: readonly Mutant[] = [
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
  bug(
    'replaced answers are shown as good',
    'client/transcript-view.ts',
    'if (isReviser(record)) this',
    `if (isReviser(record) && record.kind !== 'regenerated') this`,
  ),
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
    'the store forgets a message as soon as it is sent',
    'client/outbox.ts',
    '    next.maybeSent = true;\n',
    '    next.maybeSent = true;\n    this.#shelf.erase(id);\n',
  ),
  bug('any answer frees the line', 'client/outbox.ts', '    if (this.#inFlight !== id) return;\n', ''),
  bug(
    'who was answered still waits on the page',
    'client/transcript-view.ts',
    'for (const turn of [...previous.keys(), ...this.#live.keys()])',
    'for (const turn of [...this.#live.keys()])',
  ),
  bug(
    'pieces are put together the wrong way round',
    'client/answer.ts',
    'offset === read.length ? read + text',
    'offset === read.length ? text + read',
  ),
  bug(
    'a new attempt keeps the thoughts of the one before',
    'client/session-picture.ts',
    'this.#answer = emptyAnswer(running.turn, running.attempt);',
    'this.#answer = { ...emptyAnswer(running.turn, running.attempt), thinking: this.#answer?.thinking ?? `` };',
  ),
  bug(
    'a page of older messages ends them',
    'client/transcript-view.ts',
    'this.#before = nextBefore;',
    'this.#before = null;',
  ),
];

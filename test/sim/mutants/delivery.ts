/** Planted bugs on the way to D1, and in what is written there. */
import { bug, type Mutant } from './mutant.ts';

export const DELIVERY_MUTANTS: readonly Mutant[] = [
  bug(
    'the position is kept before D1 confirmed',
    'objects/delivery.ts',
    `      await inTime(this.#ports, this.#ports.deliver(this.session, records), D1_CALL_TIMEOUT_MS, D1_SILENT);
      this.#log.markDelivered(last.seq);`,
    `      this.#log.markDelivered(last.seq);
      await inTime(this.#ports, this.#ports.deliver(this.session, records), D1_CALL_TIMEOUT_MS, D1_SILENT);`,
  ),
  bug(
    'a failed delivery counts',
    'objects/delivery.ts',
    'this.#ports.deliver(this.session, records), D1_CALL',
    'this.#ports.deliver(this.session, records).catch(() => {}), D1_CALL',
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
    'Math.max(this.session.delivered, last.seq);',
    'Math.max(this.session.delivered, last.seq + 1);',
  ),
  bug(
    'a record between two batches is left out',
    'objects/delivery.ts',
    'this.#sent = last.seq;',
    'this.#sent = last.seq + 1;',
  ),
  bug('no second try', 'objects/delivery.ts', 'this.#ports.now() + d1RetryMs(this.#failures)', '1e15'),
  bug('a failed erasure counts', 'objects/delivery.ts', 'return this.#failed(error);', 'return null;'),
  bug(
    'waits for ever for a call that nobody answers',
    'objects/delivery.ts',
    'inTime(this.#ports, this.#ports.deliver(this.session, records), D1_CALL_TIMEOUT_MS, D1_SILENT)',
    'this.#ports.deliver(this.session, records)',
  ),
  bug('the last record is not due', 'objects/delivery.ts', 'if (waiting <= 0)', 'if (waiting <= 1)'),

  bug(
    'a deletion meanwhile is waited for, for ever',
    'objects/delivery.ts',
    'return !this.session.removed && this.session.delivered < seq;',
    'return this.session.delivered < seq;',
  ),
  bug(
    'withdrawn messages stay in D1',
    'history/projection.ts',
    'else if (isReviser(record))',
    `else if (isReviser(record) && record.kind !== 'cancelled')`,
  ),
  bug('a title does not reach D1', 'history/projection.ts', 'if (title !== undefined) merged.title = title;', ''),
  bug('an old change is made again', 'history/projection.ts', 'row.rev >= record.seq || ', ''),
  bug(
    'a message that comes again is new',
    'history/projection.ts',
    'if (message && !rows.has(message.seq)) rows',
    'if (message) rows',
  ),
];

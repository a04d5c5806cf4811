/** Planted bugs in the log and in what is read from it. */
import { bug, type Mutant } from './mutant.ts';

export const LOG_MUTANTS: readonly Mutant[] = [
  bug('records are read from one too early', 'log/session-log.ts', 'WHERE seq > ?1 ORDER', 'WHERE seq >= ?1 ORDER'),
  bug(
    'what a process before has written is not known',
    'log/session-log.ts',
    'this.#clientIds ??= this.#readClientIds();',
    'this.#clientIds ??= new Set();',
  ),
  bug(
    'what was just written is not known',
    'log/session-log.ts',
    `if ('id' in record) this.#knowClientId(record.id);`,
    '',
  ),
  bug('pages overlap', 'log/session-log.ts', 'seq < ?1 AND kind', 'seq <= ?1 AND kind'),
  bug(
    'edits are not seen',
    'log/session-log.ts',
    `kind IN ('edited', 'cancelled', 'regenerated') AND turn IN`,
    `kind IN ('cancelled', 'regenerated') AND turn IN`,
  ),
  bug('the chain forgets its last link', 'log/session-log.ts', '    this.#last = last;\n', ''),
  bug('a new process begins a new chain', 'log/session-log.ts', 'hash === null ? GENESIS', 'true ? GENESIS'),
  bug('a new process knows of no changes', 'log/session-log.ts', 'this.#revised = revised;', 'this.#revised = false;'),
  bug('a change is not known of', 'log/session-log.ts', 'this.#revised ||= records.some(isReviser);', ''),
  bug('the position is noted one too high', 'log/session-log.ts', 'SET delivered = ?', 'SET delivered = ? + 1'),
  bug('a deletion is not remembered', 'log/session-log.ts', `this.#sql.exec('UPDATE session SET removed = 1');`, ''),
  bug(
    'the turns kept for prompts have superseded answers',
    'log/recent-turns.ts',
    'turns.findIndex((other) => other.turn === turn.turn)',
    '-1',
  ),
  bug(
    'the turns kept for prompts have the answer that is replaced',
    'log/recent-turns.ts',
    'if (past && past.turn !== turn) yield past;',
    'if (past) yield past;',
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

  bug('a deletion leaves the log', 'log/session-log.ts', `this.#sql.exec('DELETE FROM log');`, ''),
  bug(
    'replaced answers are pages of good ones',
    'protocol/transcript.ts',
    `return { ...message, status: 'superseded' };`,
    'return message;',
  ),
  bug(
    'the next message of a page is a new beginning',
    'log/conversation.ts',
    'nextBefore: hasEarlier ? first : null',
    'nextBefore: null',
  ),
];

import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { searchMessages, type SearchHit } from '../../../src/history/search.ts';
import { bot, db, Log, useEmptyDatabase } from './database.ts';

useEmptyDatabase();

function search(user: string, query: string, more: Partial<Parameters<typeof searchMessages>[2]> = {}) {
  return searchMessages(db, user, { query, limit: 20, ...more });
}

async function texts(user: string, query: string, more: Partial<Parameters<typeof searchMessages>[2]> = {}) {
  return (await search(user, query, more)).hits.map(({ message }) => message.text);
}

/** What a reader would see marked. */
function marked({ excerpt }: SearchHit): string[] {
  return excerpt.matches.map(([start, end]) => excerpt.text.slice(start, end));
}

describe('what finds what', () => {
  test.each([
    ['a word, in any case', 'Docker compose', 'DOCKER', ['Docker']],
    ['all words, in any order', 'docker needs compose', 'compose docker', ['docker', 'compose']],
    ['the last word while it is typed', 'configuration file', 'confi', ['configuration']],
    ['accents are optional in the query', 'un café crème', 'cafe creme', ['café', 'crème']],
    ['and in the text', 'un cafe creme', 'café crème', ['cafe', 'creme']],
    ['letters that do not decompose', 'Die Straße in Łódź', 'strasse lodz', ['Straße', 'Łódź']],
    ['a phrase in quotes', 'the quick brown fox', '"quick brown"', ['quick brown']],
    ['in typographic quotes too', 'the quick brown fox', '“quick brown”', ['quick brown']],
    ['a piece of a Chinese sentence', '我喜欢在东京吃寿司', '东京', ['东京']],
    ['of a Japanese one', '昨日カフェで勉強しました', 'カフェ', ['カフェ']],
    ['half-width kana as full-width', '昨日カフェで', 'ｶﾌｪ', ['カフェ']],
    ['a Korean word without its particle', '서울에서 만나요', '서울', ['서울']],
    ['a piece of a Thai sentence', 'ฉันรักกรุงเทพมาก', 'กรุงเทพ', ['กรุงเทพ']],
    ['a dotted name', 'see src/worker.ts for it', 'worker.ts', ['worker.ts']],
    ['Greek with a final sigma', 'ΟΔΥΣΣΕΥΣ', 'οδυσσευς', ['ΟΔΥΣΣΕΥΣ']],
    ['Arabic without its vowels', 'كِتَاب جديد', 'كتاب', ['كِتَاب']],
    ['digits', 'error 0x80070005 again', '0x8007', ['0x80070005']],
    ['a supplementary letter', '𝒞𝒶𝓉 pictures', 'cat', ['𝒞𝒶𝓉']],
  ])('%s', async (_rule, text, query, marks) => {
    const log = new Log('s1', 'ada');
    log.turn(text, 'something else');
    await log.deliver();
    const { hits } = await search('ada', query);
    expect(hits.map(({ message }) => message.text)).toEqual([text]);
    expect(hits.map(marked)).toEqual([marks]);
  });

  test.each([
    ['a word that is not there', 'docker swarm', 'docker compose'],
    ['the words of a phrase in another order', 'brown quick', '"quick brown"'],
    ['the beginning of a word that is not the last', 'configuration file', 'confi file'],
    ['the beginning of a word in closed quotes', 'configuration', '"confi"'],
    ['ideographs that are not together', '东方的京城', '东京'],
    ['nothing to search for', 'anything', ' "" *** 🙂 '],
  ])('not: %s', async (_rule, text, query) => {
    const log = new Log('s1', 'ada');
    log.ask(text);
    await log.deliver();
    expect(await search('ada', query)).toEqual({ hits: [], nextCursor: null });
  });
});

describe('only one’s own', () => {
  test('the same words of another user are not found, whatever is typed', async () => {
    for (const user of ['ada', 'eve']) {
      const log = new Log(`of-${user}`, user);
      log.turn(`secret of ${user}`, 'answer');
      await log.deliver();
    }
    expect(await texts('ada', 'secret')).toEqual(['secret of ada']);
    const { indexedTerms } = await import('../../../src/history/terms.ts');
    const key = indexedTerms('eve', 'secret');
    for (const query of [
      key,
      `"${key}`,
      `${key}"`,
      `x" OR "${key}`,
      `NEAR(${key})`,
      `terms:${key}`,
      `{terms}: ${key}`,
    ]) {
      expect(await texts('ada', query)).toEqual([]);
    }
  });

  test('two users with the same key in the index stay apart', async () => {
    // Found by trying: FNV-1a gives both the same 32 bits.
    const users = collidingUsers();
    for (const user of users) {
      const log = new Log(`of-${user}`, user);
      log.ask(`secret of ${user}`);
      await log.deliver();
    }
    for (const user of users) expect(await texts(user, 'secret')).toEqual([`secret of ${user}`]);
  });

  test('no query is an error, and none shows what is not one’s own', { timeout: 60_000 }, async () => {
    const mine = new Log('mine', 'ada');
    mine.turn('NEAR the OR and NOT', 'terms messages_fts rowid');
    await mine.deliver();
    const other = new Log('other', 'eve');
    other.turn('NEAR the OR and NOT', 'terms messages_fts rowid');
    await other.deliver();
    const hostile = fc.array(
      fc.oneof(
        fc.constantFrom(
          '"',
          '""',
          '*',
          '^',
          '(',
          ')',
          '{terms}',
          'terms:',
          ':',
          '-',
          '+',
          ',',
          'AND',
          'OR',
          'NOT',
          'NEAR(',
        ),
        fc.constantFrom('near', 'the', 'ro', 'messages_fts', ' ', "'", ';', '--', '\\', '\0', '%', '?1', '日本'),
        fc.string({ unit: 'binary', maxLength: 8 }),
        fc.string({ unit: 'grapheme', maxLength: 8 }),
      ),
      { maxLength: 12 },
    );
    await fc.assert(
      fc.asyncProperty(hostile, fc.constantFrom('', ' '), async (parts, separator) => {
        const { hits } = await search('ada', parts.join(separator));
        expect(hits.every(({ session }) => session.id === 'mine')).toBe(true);
      }),
      { numRuns: 300 },
    );
  });

  test('a very long query is read as far as it is useful', async () => {
    const log = new Log('s1', 'ada');
    log.ask('word '.repeat(40));
    await log.deliver();
    expect(await texts('ada', 'word '.repeat(10_000))).toHaveLength(1);
    expect(await texts('ada', '"'.repeat(10_000))).toEqual([]);
    expect(await texts('ada', '漢'.repeat(10_000))).toEqual([]);
  });
});

describe('context', () => {
  test('two messages on each side, of the same session, without withdrawn and replaced ones', async () => {
    const before = new Log('before', 'ada');
    before.turn('neighbour', 'neighbour');
    const log = new Log('s1', 'ada', { title: 'Fruit' });
    log.turn('one', 'two');
    const turn = log.ask('three');
    log.add({ kind: 'cancelled', turn: log.ask('withdrawn') });
    log.reply(turn, 'replaced');
    log.add({ kind: 'regenerated', turn, attempt: 2 });
    log.reply(turn, 'the banana', 2);
    log.turn('four', 'five');
    log.turn('six', 'seven');
    const after = new Log('after', 'ada');
    after.turn('neighbour', 'neighbour');
    for (const each of [before, log, after]) await each.deliver();
    const { hits } = await search('ada', 'banana');
    expect(hits).toMatchObject([
      {
        session: { id: 's1', title: 'Fruit', bot },
        message: { role: 'bot', text: 'the banana', status: 'complete', id: '4.2', turn: 4 },
        before: [{ text: 'two' }, { text: 'three', id: 'c4', seq: 4 }],
        after: [{ text: 'four' }, { text: 'five' }],
      },
    ]);
    expect(await search('ada', 'one')).toMatchObject({
      hits: [{ before: [], after: [{ text: 'two' }, { text: 'three' }] }],
    });
    expect(await search('ada', 'seven')).toMatchObject({ hits: [{ after: [] }] });
  });

  test('long messages are shown by their beginning, hits around the match', async () => {
    const log = new Log('s1', 'ada');
    log.turn(`${'👩‍🚀 padding '.repeat(500)}needle ${'hay '.repeat(500)}`, '🙂'.repeat(1_000));
    await log.deliver();
    const { hits } = await search('ada', 'needle');
    const [hit] = hits;
    expect(hit && marked(hit)).toEqual(['needle']);
    expect(hit?.excerpt).toMatchObject({ cutStart: true, cutEnd: true });
    expect(hit?.excerpt.text.length).toBeLessThanOrEqual(240);
    expect(hit?.excerpt.text.isWellFormed()).toBe(true);
    expect(hit?.message.cut && hit.after[0]?.cut).toBe(true);
    expect(hit?.after[0]?.text.isWellFormed()).toBe(true);
    expect(hit?.after[0]?.text.length).toBeLessThanOrEqual(400);
  });
});

describe('filters, order and pages', () => {
  async function manySessions(): Promise<void> {
    for (let i = 0; i < 6; i++) {
      // The session made first is the one used last: row order is not time order.
      const settings = i % 2 === 0 ? bot : { id: 'other', name: 'Other', model: 'm' };
      const log = new Log(`s${i}`, 'ada', { at: 1_000_000 - i * 100_000, settings });
      for (let j = 0; j < 3; j++) log.ask(`needle ${i}.${j}`);
      await log.deliver();
    }
  }

  test('the newest first', async () => {
    await manySessions();
    const found = await texts('ada', 'needle');
    expect(found.slice(0, 4)).toEqual(['needle 0.2', 'needle 0.1', 'needle 0.0', 'needle 1.2']);
    expect(found).toHaveLength(18);
  });

  test('by bot, from (included) and to (excluded)', async () => {
    await manySessions();
    expect(await texts('ada', 'needle', { bot: 'other' })).toHaveLength(9);
    const { hits } = await search('ada', 'needle');
    const at = hits[4]?.message.at ?? 0;
    expect(await texts('ada', 'needle', { from: at })).toHaveLength(5);
    expect(await texts('ada', 'needle', { to: at })).toHaveLength(13);
    expect(await texts('ada', 'needle', { from: at, to: at + 1 })).toEqual([hits[4]?.message.text]);
  });

  test('pages cover all hits once, also when times are the same and new ones come', async () => {
    await manySessions();
    await db.prepare('UPDATE messages SET at = 5000 WHERE id % 2 = 0').run();
    const whole = await texts('ada', 'needle');
    const paged: string[] = [];
    let cursor: string | null = null;
    do {
      const page = await search('ada', 'needle', { limit: 4, ...(cursor === null ? {} : { cursor }) });
      paged.push(...page.hits.map(({ message }) => message.text));
      cursor = page.nextCursor;
      const late = new Log(`late${paged.length}`, 'ada', { at: 9_000_000 });
      late.ask('needle that came later');
      await late.deliver();
    } while (cursor !== null);
    expect(paged).toEqual(whole);
  });

  test.each([
    '',
    'x',
    '%%%',
    btoa('["search",1]'),
    btoa('["sessions",1,2]'),
    btoa('["search",-1,2]'),
    btoa('["search","1",2]'),
  ])('a cursor that is not ours (%s) is a bad_request', async (cursor) => {
    await expect(search('ada', 'needle', { cursor })).rejects.toMatchObject({
      name: 'HistoryError',
      code: 'bad_request',
    });
  });
});

/** Two different users for which the hash behind the index key is the same. */
function collidingUsers(): [string, string] {
  const seen = new Map<number, string>();
  for (let i = 0; ; i++) {
    const user = `u${i.toString(36)}`;
    let hash = 0x811c9dc5;
    for (let j = 0; j < user.length; j++) hash = Math.imul(hash ^ user.charCodeAt(j), 0x01000193);
    const other = seen.get(hash >>> 0);
    if (other !== undefined) return [other, user];
    seen.set(hash >>> 0, user);
  }
}

/** What a reader has to know to take the figures for what they are: it is written once, in load/README.md. */
import { readFileSync } from 'node:fs';
import { LoadError } from '../scenario.ts';
import type { Section } from './section.ts';

const README = new URL('../README.md', import.meta.url);
const TITLE = 'How far to trust it';

export function trustSection(): Section {
  return { title: TITLE, sentences: itemsOf(readFileSync(README, 'utf8')), tables: [], charts: [] };
}

/** The items of that section's list, without marks, over however many lines each is written. @throws LoadError for none */
export function itemsOf(readme: string): string[] {
  const [, after = ''] = readme.split(`\n## ${TITLE}\n`);
  const [section = ''] = after.split('\n## ');
  const items = section.split(/^- /m).slice(1);
  if (items.length === 0) throw new LoadError('usage', `load/README.md has no list under "${TITLE}".`);
  return items.map((item) =>
    item
      .replaceAll(/\*\*|`/g, '')
      .replaceAll(/\s+/g, ' ')
      .trim(),
  );
}

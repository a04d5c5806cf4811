/** The page's measurement on the real server in a real browser, small: what came is seen, and as often as it came. */
import { expect, test } from 'vitest';
import { createRender } from '../../load/scenarios/render.ts';

const PLAN = {
  shortMessages: 10,
  longMessages: 240,
  shownMessages: 3,
  scrollMs: 500,
  keys: 10,
  memoryMessages: 20,
  reconnects: 2,
  loadAllMs: 30_000,
};

test(
  'render: every frame and key is seen on the screen; the long session is shown whole',
  { timeout: 180_000 },
  async () => {
    const lines: string[] = [];
    const { figures, gates } = await createRender(PLAN).run({
      full: false,
      seconds: null,
      users: null,
      tokens: 5,
      state: null,
      url: null,
      signal: new AbortController().signal,
      progress: (line) => void lines.push(line),
    });
    const value = (subject: string, name: string) =>
      figures.find((figure) => figure.subject === subject && figure.name === name)?.value;

    expect(value('measured', 'messages')).toBe(PLAN.shownMessages);
    expect(value('measured', 'replies')).toBe(PLAN.shownMessages);
    expect(value('measured', 'pieces')).toBeGreaterThanOrEqual(PLAN.shownMessages);
    expect(value('measured', 'frames not seen on the screen')).toBe(0);
    for (const messages of [PLAN.shortMessages, PLAN.longMessages]) {
      const subject = `${messages} messages`;
      expect(value(subject, 'frames/s while scrolling'), subject).toBeGreaterThan(0);
      expect(value(subject, 'keys'), subject).toBeGreaterThanOrEqual(PLAN.keys);
      expect(value(subject, 'piece of that answer to screen p50'), subject).toBeGreaterThan(0);
    }
    expect(value('with the document', 'before')).toBeGreaterThan(0);
    // As many gates whatever the numbers: none is left out where something could not be measured.
    expect(gates.map(({ name }) => name).filter((name) => name.includes('seen on the screen'))).toHaveLength(4);
    expect(gates.filter(({ value: measured }) => Number.isNaN(measured))).toEqual([]);
    expect(lines.some((line) => line.includes(`a session of ${PLAN.longMessages} messages`))).toBe(true);
  },
);

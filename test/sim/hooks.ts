/**
 * Changes to the source of the house while it is loaded, before anything of it is: bounds that become
 * adjustable, and planted bugs. Nothing on the disk is touched. Line numbers stay what they are.
 */
import { registerHooks } from 'node:module';
import { fileURLToPath } from 'node:url';

const SOURCE = fileURLToPath(new URL('../../src/', import.meta.url));
const REGISTRY = new URL('knob.ts', import.meta.url).href;

/** Bounds, by file, and their tight values: the same code, but a queue of four is soon full. */
const KNOBS: Readonly<Record<string, Readonly<Record<string, number>>>> = {
  'protocol/limits.ts': {
    CREDIT_WINDOW_BYTES: 2_048,
    CREDIT_STEP_BYTES: 512,
    FIRST_PAGE_EVENTS: 6,
    MAX_REPLAY_EVENTS: 10,
    MAX_QUEUE_LENGTH: 3,
    MAX_FRAMES_AT_ONCE: 12,
    MAX_BAD_FRAMES: 4,
  },
  'objects/delivery.ts': { BATCH_RECORDS: 4, BATCH_LENGTH: 1_500, EAGER_RECORDS: 3 },
  'objects/session-runtime.ts': { REPLAY_RECORDS: 3, REPLAY_LENGTH: 700 },
  'objects/queue-teller.ts': { LONG_QUEUE: 1 },
  'objects/tab.ts': { MAX_UNREAD_LENGTH: 6_000 },
  'objects/tabs.ts': { RECENT_FRAMES: 2 },
  'log/session-log.ts': {
    ROWS_AT_ONCE: 4,
    KEPT_CLIENT_IDS: 3,
    LOOK_UPS_FIRST: 1,
    CACHED_RECORDS: 3,
    CACHED_BODY_LENGTH: 200,
  },
  'log/recent-turns.ts': { KEPT_TURNS: 3, KEPT_LENGTH: 160 },
  'log/conversation.ts': { LOOK_BACK_RECORDS: 5 },
};

export const TIGHT: Readonly<Record<string, number>> = Object.assign({}, ...Object.values(KNOBS));

/** A text of one file under `src/` that becomes another; it has to be there exactly once. */
export interface Patch {
  file: string;
  find: string;
  replace: string;
}

export function installHooks(patches: readonly Patch[] = []): void {
  registerHooks({
    load(url, context, nextLoad) {
      const loaded = nextLoad(url, context);
      const file = url.startsWith('file:') ? fileURLToPath(url) : '';
      if (!file.startsWith(SOURCE) || !loaded.source) return loaded;
      const name = file.slice(SOURCE.length);
      const source = textOf(loaded.source);
      const patched = patches.filter((patch) => patch.file === name).reduce(replaceOnce, source);
      return { ...loaded, source: open(name, patched) };
    },
  });
}

function textOf(source: string | ArrayBuffer | NodeJS.TypedArray): string {
  return typeof source === 'string' ? source : new TextDecoder().decode(source);
}

export function replaceOnce(source: string, { file, find, replace }: Patch): string {
  const parts = source.split(find);
  if (parts.length !== 2) throw new Error(`${file} has ${parts.length - 1} places like this: ${find}`);
  return parts.join(replace);
}

/** Makes the file's bounds adjustable: `const` becomes `let`, and a setter is handed to the registry. */
function open(file: string, source: string): string {
  const names = Object.keys(KNOBS[file] ?? {});
  if (names.length === 0) return source;
  const opened = names.reduce((text, name) => {
    const declaration = new RegExp(`^(export )?const ${name} = `, 'gm');
    if (text.match(declaration)?.length !== 1) throw new Error(`${file} does not declare ${name} once`);
    return text.replace(declaration, `$1let ${name} = `);
  }, source);
  const setters = names.map((name) => `knob('${name}', ${name}, (value) => { ${name} = value; });`);
  return `${opened}\nimport { knob } from '${REGISTRY}'; ${setters.join(' ')}\n`;
}

import { signal, type ReadonlySignal } from '@preact/signals';
import type * as Later from './later.ts';

const loaded = signal<typeof Later | null>(null);
/** What `later.ts` holds, once it is there. */
export const later: ReadonlySignal<typeof Later | null> = loaded;

/** Asked for after the start, so that it is there when it is wanted, offline too. */
export async function loadLater(): Promise<typeof Later> {
  try {
    loaded.value = await import('./later.ts');
    return loaded.value;
  } catch (cause) {
    // A deployment replaced the file, or there is no network. Not every browser asks for it twice.
    throw new Error('A part of the page could not be loaded. Reload the page; what you wrote is kept.', { cause });
  }
}

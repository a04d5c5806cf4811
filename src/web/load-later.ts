import type * as Later from './later.ts';

let loading: Promise<typeof Later> | null = null;

/** What `later.ts` holds. Loaded after the start, so that it is there when it is wanted, offline too. */
export function loadLater(): Promise<typeof Later> {
  loading ??= import('./later.ts').catch((cause: unknown) => {
    loading = null;
    // A deployment replaced the file, or there is no network. Not every browser asks for it twice.
    throw new Error('A part of the page could not be loaded. Reload the page; what you wrote is kept.', { cause });
  });
  return loading;
}

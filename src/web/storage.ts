import type { TextStore } from './state/ports.ts';

/** localStorage, where it is allowed and not full; else nothing is kept and nothing breaks. */
export function localStore(): TextStore {
  return {
    get(key) {
      try {
        return localStorage.getItem(key);
      } catch {
        return null;
      }
    },
    set(key, value) {
      try {
        if (value === null) localStorage.removeItem(key);
        else localStorage.setItem(key, value);
      } catch {
        // Full or forbidden: a draft is a convenience.
      }
    },
  };
}

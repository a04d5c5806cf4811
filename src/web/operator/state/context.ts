import { createContext } from 'preact';
import { useContext } from 'preact/hooks';
import type { Console } from './console.ts';

const ConsoleContext = createContext<Console | null>(null);
export const ConsoleProvider = ConsoleContext.Provider;

export function useConsole(): Console {
  const found = useContext(ConsoleContext);
  if (found === null) throw new Error('No console around this component.');
  return found;
}

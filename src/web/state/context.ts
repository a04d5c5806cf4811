import { createContext } from 'preact';
import { useContext } from 'preact/hooks';
import type { App } from './app.ts';

const AppContext = createContext<App | null>(null);
export const AppProvider = AppContext.Provider;

export function useApp(): App {
  const app = useContext(AppContext);
  if (app === null) throw new Error('No application around this component.');
  return app;
}

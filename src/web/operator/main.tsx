import { render } from 'preact';
import { ConsolePage } from './ConsolePage.tsx';
import { createConsole } from './state/console.ts';
import { ConsoleProvider } from './state/context.ts';
import { httpApi } from './state/http-api.ts';

const state = createConsole(
  {
    connect: httpApi,
    now: Date.now,
    after(ms, callback) {
      const timer = setTimeout(callback, ms);
      return () => clearTimeout(timer);
    },
  },
  window,
);

render(
  <ConsoleProvider value={state}>
    <ConsolePage />
  </ConsoleProvider>,
  document.body,
);

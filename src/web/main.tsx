import { render } from 'preact';
import { browserOutbox } from '../client/browser-outbox.ts';
import { connectUrl } from '../client/http.ts';
import { createSessionClient } from '../client/session-client.ts';
import { olderMessages, pageApi } from './api.ts';
import { loadMarkdown } from './markdown/Markdown.tsx';
import { browserSocket } from './socket.ts';
import { Page } from './Page.tsx';
import { createApp } from './state/app.ts';
import { AppProvider } from './state/context.ts';
import { localStore } from './storage.ts';

const outbox = browserOutbox({
  onUnavailable: () =>
    app.toasts.show('This browser keeps nothing for this page: messages not sent yet will not survive a reload.'),
});

const app = createApp(
  {
    api: pageApi(),
    openClient: (session) =>
      createSessionClient({
        session,
        outbox,
        openSocket: () => browserSocket(connectUrl(location.origin, session)),
        loadOlder: (before) => olderMessages(session, before),
      }),
    eraseUnsent: (session) => outbox.clear(session),
    store: localStore(),
    nextFrame: (callback) => requestAnimationFrame(callback),
    now: Date.now,
  },
  window,
);

render(
  <AppProvider value={app}>
    <Page />
  </AppProvider>,
  document.body,
);
void loadMarkdown();

import { render } from 'preact';
import { browserOutbox } from '../client/browser-outbox.ts';
import { connectUrl } from '../client/http.ts';
import { createSessionClient } from '../client/session-client.ts';
import { olderMessages, pageApi } from './api.ts';
import { loadLater } from './load-later.ts';
import { loadMarkdown } from './markdown/Markdown.tsx';
import { browserSocket } from './socket.ts';
import { Page } from './Page.tsx';
import { createApp } from './state/app.ts';
import { AppProvider } from './state/context.ts';
import { localStore } from './storage.ts';

/** A link that somebody shared: the same page, but nothing of one's own chats. */
const SHARED_PATH = /^\/shared\/([A-Za-z0-9_-]{1,256})\/?$/;

function startChat(): void {
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
      download,
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
  // Who asks for something of it is told if it does not come.
  loadLater().catch(() => undefined);
}

function download(href: string): void {
  const link = document.createElement('a');
  link.href = href;
  link.download = '';
  link.click();
}

async function startShared(token: string): Promise<void> {
  try {
    const { show } = await import('./shared/SharedPage.tsx');
    show(token);
  } catch {
    document.body.textContent = 'The page could not be loaded. Reload it to try again.';
  }
}

const token = SHARED_PATH.exec(location.pathname)?.[1];
if (token === undefined) startChat();
else void startShared(token);
void loadMarkdown();

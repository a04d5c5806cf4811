import { signal, type ReadonlySignal } from '@preact/signals';

/** `#/` is a new chat, `#/s/<id>` a session, `#/s/<id>/<seq>` one message of it. */
export interface Route {
  session: string | null;
  seq: number | null;
}

export interface Router {
  readonly route: ReadonlySignal<Route>;
  go(session: string | null): void;
  /** Takes the place of the current history entry: going back must not return to it. */
  replace(session: string | null): void;
}

export function parseRoute(hash: string): Route {
  const match = /^#\/s\/([A-Za-z0-9_-]{1,128})(?:\/(\d{1,15}))?$/.exec(hash);
  return { session: match?.[1] ?? null, seq: match?.[2] === undefined ? null : Number(match[2]) };
}

export function hrefOf(session: string | null, seq?: number): string {
  if (session === null) return '#/';
  return seq === undefined ? `#/s/${session}` : `#/s/${session}/${seq}`;
}

export function createRouter(target: Window): Router {
  const route = signal(parseRoute(target.location.hash));
  const read = () => (route.value = parseRoute(target.location.hash));
  target.addEventListener('hashchange', read);
  return {
    route,
    go(session) {
      target.location.hash = hrefOf(session);
      read();
    },
    replace(session) {
      target.history.replaceState(null, '', hrefOf(session));
      read();
    },
  };
}

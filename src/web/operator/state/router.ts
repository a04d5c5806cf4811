import { signal, type ReadonlySignal } from '@preact/signals';
import { BOT_ID_PATTERN } from '../../../protocol/ids.ts';

/** What of the console is shown; kept after `#`, so that a reload and a link lead to the same place. */
export type Route =
  | { page: 'bots' }
  | { page: 'bot'; id: string }
  | { page: 'edit'; id: string }
  | { page: 'new' }
  | { page: 'alerts' }
  /** `bot` null: of all bots. */
  | { page: 'audit'; bot: string | null }
  | { page: 'health' };

export interface Router {
  readonly route: ReadonlySignal<Route>;
  go(route: Route): void;
}

export function parseRoute(hash: string): Route {
  const [page = '', id = '', verb] = hash.replace(/^#\/?/, '').split('/');
  const bot = BOT_ID_PATTERN.test(id) ? id : null;
  switch (page) {
    case 'bots':
      if (bot === null) return { page: 'bots' };
      return verb === 'edit' ? { page: 'edit', id: bot } : { page: 'bot', id: bot };
    case 'audit':
      return { page, bot };
    case 'new':
    case 'alerts':
    case 'health':
      return { page };
    default:
      return { page: 'bots' };
  }
}

export function hrefOf(route: Route): string {
  switch (route.page) {
    case 'bots':
      return '#/';
    case 'bot':
      return `#/bots/${route.id}`;
    case 'edit':
      return `#/bots/${route.id}/edit`;
    case 'audit':
      return route.bot === null ? '#/audit' : `#/audit/${route.bot}`;
    default:
      return `#/${route.page}`;
  }
}

export function createRouter(target: Window): Router {
  const route = signal(parseRoute(target.location.hash));
  const read = () => (route.value = parseRoute(target.location.hash));
  target.addEventListener('hashchange', read);
  return {
    route,
    go(next) {
      target.location.hash = hrefOf(next);
      read();
    },
  };
}

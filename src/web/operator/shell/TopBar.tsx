import { Icon } from '../../ui/Icon.tsx';
import { useConsole } from '../state/context.ts';
import { hrefOf, type Route } from '../state/router.ts';
import { CommandBar } from './CommandBar.tsx';
import { Freshness } from './Freshness.tsx';

const PAGES: readonly { route: Route; words: string; pages: readonly Route['page'][] }[] = [
  { route: { page: 'bots' }, words: 'Bots', pages: ['bots', 'bot', 'edit', 'new'] },
  { route: { page: 'alerts' }, words: 'Alerts', pages: ['alerts'] },
  { route: { page: 'audit', bot: null }, words: 'Audit', pages: ['audit'] },
  { route: { page: 'health' }, words: 'Health', pages: ['health'] },
];

export function TopBar() {
  const { router, login, fleet } = useConsole();
  const { page } = router.route.value;
  const firing = fleet.bots.value.reduce(
    (sum, { alerts = [] }) => sum + alerts.filter(({ resolvedAt }) => resolvedAt === null).length,
    0,
  );
  return (
    <header class="top-bar">
      <span class="brand">
        Switchboard <span class="brand-part">operator</span>
      </span>
      <nav aria-label="Pages">
        {PAGES.map(({ route, words, pages }) => (
          <a key={words} href={hrefOf(route)} aria-current={pages.includes(page) ? 'page' : undefined}>
            {words}
            {route.page === 'alerts' && firing > 0 ? (
              <span class="badge" data-testid="firing">
                {firing}
                <span class="offscreen"> firing</span>
              </span>
            ) : null}
          </a>
        ))}
      </nav>
      <CommandBar />
      <Freshness />
      <a class="button quiet small" href="/">
        Chat
      </a>
      <button type="button" class="quiet small" data-testid="logout" onClick={() => void login.leave()}>
        <Icon name="external" />
        Log out
      </button>
    </header>
  );
}

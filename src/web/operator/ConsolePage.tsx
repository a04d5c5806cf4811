import { useEffect } from 'preact/hooks';
import { BotView } from './bot/BotView.tsx';
import { EditorPage } from './editor/EditorPage.tsx';
import { BotList } from './fleet/BotList.tsx';
import { AlertsPage } from './pages/AlertsPage.tsx';
import { AuditPage } from './pages/AuditPage.tsx';
import { HealthPage } from './pages/HealthPage.tsx';
import { ActionDialog } from './shell/ActionDialog.tsx';
import { LoginPage } from './shell/LoginPage.tsx';
import { NoticeList } from './shell/NoticeList.tsx';
import { TopBar } from './shell/TopBar.tsx';
import { useConsole } from './state/context.ts';
import type { Route } from './state/router.ts';

export function ConsolePage() {
  const { login, router } = useConsole();
  const route = router.route.value;
  useEffect(() => {
    // What was clicked is gone with its page; from nowhere, the keyboard would begin at the top again.
    if (document.activeElement === document.body) document.querySelector<HTMLElement>('#content')?.focus();
    document.title = `${titleOf(route)} · Switchboard operator`;
  }, [route]);
  if (login.state.value !== 'in') return <LoginPage />;
  return (
    <div class="console">
      <a class="skip" href="#content" onClick={skipToContent}>
        Skip to the content
      </a>
      <TopBar />
      <main id="content" class="content" tabIndex={-1}>
        <Shown route={route} />
      </main>
      <ActionDialog />
      <NoticeList />
    </div>
  );
}

function Shown({ route }: { route: Route }) {
  switch (route.page) {
    case 'bots':
      return <BotList />;
    case 'bot':
      return <BotView key={route.id} id={route.id} />;
    case 'edit':
      return <EditorPage key={route.id} bot={route.id} />;
    case 'new':
      return <EditorPage key="new" bot={null} />;
    case 'alerts':
      return <AlertsPage />;
    case 'audit':
      return <AuditPage bot={route.bot} />;
    case 'health':
      return <HealthPage />;
  }
}

function titleOf(route: Route): string {
  if ('id' in route) return route.id;
  return { bots: 'Bots', new: 'New bot', alerts: 'Alerts', audit: 'Audit', health: 'Health' }[route.page];
}

/** The address after `#` is the route: the link must not change it. */
function skipToContent(event: MouseEvent): void {
  event.preventDefault();
  document.querySelector<HTMLElement>('#content')?.focus();
}

import { useEffect } from 'preact/hooks';
import { Composer } from './composer/Composer.tsx';
import { Conversation } from './conversation/Conversation.tsx';
import { StatusRegion } from './conversation/StatusRegion.tsx';
import { SessionMissing, Welcome } from './conversation/Welcome.tsx';
import { Header } from './header/Header.tsx';
import { SimulatorNotice } from './header/SimulatorNotice.tsx';
import { Sidebar } from './sidebar/Sidebar.tsx';
import { isMissing } from './state/connection.ts';
import { useApp } from './state/context.ts';
import { Toasts } from './ui/Toasts.tsx';

export function Page() {
  const { chat, drawerOpen } = useApp();
  const session = chat.session.value;
  const missing = isMissing(chat.view.value);

  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      if (event.key !== 'Escape' || !drawerOpen.peek()) return;
      drawerOpen.value = false;
      // The focus goes back to where it came from, not to the top of the page.
      document.querySelector<HTMLElement>('#drawer-button')?.focus();
    };
    addEventListener('keydown', onKey);
    return () => removeEventListener('keydown', onKey);
  }, []);
  return (
    <div class="page">
      <a class="skip" href="#composer" onClick={skipToComposer}>
        Skip to the message field
      </a>
      <Sidebar />
      {drawerOpen.value ? <div class="backdrop" onClick={() => (drawerOpen.value = false)} /> : null}
      <main class="main">
        <Header />
        <SimulatorNotice />
        {missing ? <SessionMissing /> : session === null ? <Welcome /> : <Conversation key={session} />}
        <Toasts />
        {missing ? null : <Composer />}
      </main>
      <StatusRegion />
    </div>
  );
}

/** The address after `#` is the route: the link must not change it. */
function skipToComposer(event: MouseEvent): void {
  event.preventDefault();
  document.querySelector<HTMLElement>('#composer')?.focus();
}

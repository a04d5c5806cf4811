import { useSignal } from '@preact/signals';
import { useApp } from '../state/context.ts';
import { titleOr } from '../state/words.ts';
import { Icon } from '../ui/Icon.tsx';
import { SessionMenu } from '../ui/SessionMenu.tsx';
import { TitleField } from '../ui/TitleField.tsx';
import { BotPicker } from './BotPicker.tsx';
import { ConnectionState } from './ConnectionState.tsx';
import { Tabs } from './Tabs.tsx';

export function Header() {
  const { chat, drawerOpen, sessions } = useApp();
  const renaming = useSignal(false);
  const session = chat.session.value;
  const view = chat.view.value;
  const known = sessions.list.value.find(({ id }) => id === session);
  // Until the session says its own title, the list's is better than nothing.
  const title = view?.bot ? view.title : (known?.title ?? '');
  return (
    <header class="header">
      <button
        type="button"
        class="quiet icon-button only-narrow"
        data-testid="drawer"
        aria-label="List of chats"
        aria-controls="sidebar"
        aria-expanded={drawerOpen.value}
        onClick={() => (drawerOpen.value = true)}
      >
        <Icon name="menu" />
      </button>
      <div class="header-title">
        {session !== null && renaming.value ? (
          <TitleField
            title={title}
            onSave={(wanted) => void sessions.rename(session, wanted)}
            onClose={() => (renaming.value = false)}
          />
        ) : (
          <h1>
            {session === null ? (
              'New chat'
            ) : (
              <button
                type="button"
                class="title-button"
                title="Rename"
                data-testid="title"
                onClick={() => (renaming.value = true)}
              >
                {titleOr(title)}
              </button>
            )}
          </h1>
        )}
      </div>
      <Tabs />
      <ConnectionState />
      <BotPicker />
      {session === null ? null : (
        <SessionMenu
          id={session}
          title={title}
          archived={view?.archived ?? false}
          onRename={() => (renaming.value = true)}
        />
      )}
    </header>
  );
}

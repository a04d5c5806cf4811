import { useSignal } from '@preact/signals';
import { isMissing } from '../state/connection.ts';
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
  const missing = isMissing(view);
  const known = sessions.list.value.find(({ id }) => id === session);
  // Until the session says its own title, the list's is better than nothing.
  const title = view?.bot ? view.title : (known?.title ?? '');
  const editable = session !== null && !missing;
  return (
    <header class="header">
      <button
        type="button"
        class="quiet icon-button only-narrow"
        id="drawer-button"
        data-testid="drawer"
        aria-label="List of chats"
        aria-controls="sidebar"
        aria-expanded={drawerOpen.value}
        onClick={() => {
          drawerOpen.value = true;
          // Shown by the next frame; what is hidden takes no focus.
          requestAnimationFrame(() =>
            document.querySelector<HTMLElement>('#sidebar .new-chat')?.focus({ preventScroll: true }),
          );
        }}
      >
        <Icon name="menu" />
      </button>
      <div class="header-title">
        {editable && renaming.value ? (
          <TitleField
            title={title}
            onSave={(wanted) => void sessions.rename(session, wanted)}
            onClose={() => (renaming.value = false)}
          />
        ) : (
          <h1>
            {!editable ? (
              missing ? (
                'Not found'
              ) : (
                'New chat'
              )
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
      {missing ? null : (
        <>
          <Tabs />
          <ConnectionState />
          <BotPicker />
        </>
      )}
      {editable ? (
        <SessionMenu
          id={session}
          title={title}
          archived={view?.archived ?? false}
          onRename={() => (renaming.value = true)}
        />
      ) : null}
    </header>
  );
}

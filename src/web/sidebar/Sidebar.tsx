import { useApp } from '../state/context.ts';
import { hrefOf } from '../state/router.ts';
import { Icon } from '../ui/Icon.tsx';
import { SearchBox } from './SearchBox.tsx';
import { SearchResults } from './SearchResults.tsx';
import { SessionList } from './SessionList.tsx';

export function Sidebar() {
  const { search, drawerOpen } = useApp();
  return (
    <nav id="sidebar" class={drawerOpen.value ? 'sidebar open' : 'sidebar'} aria-label="Chats">
      <div class="sidebar-top">
        <span class="brand">
          <img src="/favicon.svg" alt="" width="22" height="22" />
          Switchboard
        </span>
        <button
          type="button"
          class="quiet icon-button only-narrow"
          aria-label="Close the list of chats"
          onClick={() => (drawerOpen.value = false)}
        >
          <Icon name="close" />
        </button>
      </div>
      <a
        class="new-chat"
        data-testid="new-chat"
        href={hrefOf(null)}
        onClick={() => {
          drawerOpen.value = false;
          search.clear();
          document.querySelector<HTMLElement>('#composer')?.focus();
        }}
      >
        <Icon name="plus" />
        New chat
      </a>
      <SearchBox />
      {search.state.value === 'idle' ? <SessionList /> : <SearchResults />}
    </nav>
  );
}

import { useSignal } from '@preact/signals';
import { useApp } from '../state/context.ts';
import type { SessionInfo } from '../state/ports.ts';
import { hrefOf } from '../state/router.ts';
import { briefTime, isoTime, titleOr } from '../state/words.ts';
import { SessionMenu } from '../ui/SessionMenu.tsx';
import { TitleField } from '../ui/TitleField.tsx';

export function SessionItem({ session }: { session: SessionInfo }) {
  const { router, sessions, drawerOpen } = useApp();
  const renaming = useSignal(false);
  const { id, title, bot, lastAt, archived } = session;
  const current = router.route.value.session === id;
  return (
    <li class={current ? 'session current' : 'session'} data-testid="session-item" data-session={id}>
      {renaming.value ? (
        <TitleField
          title={title}
          onSave={(wanted) => void sessions.rename(id, wanted)}
          onClose={() => (renaming.value = false)}
        />
      ) : (
        <a
          class="session-link"
          href={hrefOf(id)}
          aria-current={current ? 'page' : undefined}
          onClick={() => (drawerOpen.value = false)}
        >
          <span class="row-title">{titleOr(title)}</span>
          <span class="row-detail">
            {bot.name} · <time dateTime={isoTime(lastAt)}>{briefTime(lastAt, Date.now())}</time>
          </span>
        </a>
      )}
      <SessionMenu id={id} title={title} archived={archived} onRename={() => (renaming.value = true)} />
    </li>
  );
}

import { useSignal } from '@preact/signals';
import { useApp } from '../state/context.ts';
import { exportHref, titleOr } from '../state/words.ts';
import { ConfirmDialog } from './ConfirmDialog.tsx';
import { lazy } from './lazy.tsx';
import { Menu, MenuAction, MenuDownload } from './Menu.tsx';

const ShareDialog = lazy((later) => later.ShareDialog);

interface Props {
  id: string;
  title: string;
  archived: boolean;
  onRename: () => void;
}

/** What can be done with a chat, in the list and above the conversation alike. */
export function SessionMenu({ id, title, archived, onRename }: Props) {
  const { sessions, router } = useApp();
  const asking = useSignal(false);
  const sharing = useSignal(false);
  const leave = () => {
    if (router.route.peek().session === id) router.replace(null);
  };
  const archive = async () => {
    if ((await sessions.archive(id, !archived)) && !archived) leave();
  };
  const remove = async () => {
    if (await sessions.remove(id)) leave();
  };
  return (
    <>
      <Menu label={`Actions for ${titleOr(title)}`}>
        <MenuAction icon="edit" label="Rename" onChoose={onRename} />
        <MenuAction
          icon="archive"
          label={archived ? 'Take out of the archive' : 'Archive'}
          onChoose={() => void archive()}
        />
        <MenuAction icon="share" label="Share…" onChoose={() => (sharing.value = true)} />
        <MenuDownload label="Export as Markdown" href={exportHref(id, 'markdown')} />
        <MenuDownload label="Export as JSON" href={exportHref(id, 'json')} />
        <MenuAction icon="trash" label="Delete" danger onChoose={() => (asking.value = true)} />
      </Menu>
      {sharing.value ? <ShareDialog session={id} onClose={() => (sharing.value = false)} /> : null}
      {asking.value ? (
        <ConfirmDialog
          title="Delete this chat?"
          text={`“${titleOr(title)}” and all its messages are erased. This cannot be undone.`}
          action="Delete"
          onConfirm={() => void remove()}
          onClose={() => (asking.value = false)}
        />
      ) : null}
    </>
  );
}

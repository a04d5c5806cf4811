import { useEffect } from 'preact/hooks';
import { Icon } from '../../ui/Icon.tsx';
import { useConsole } from '../state/context.ts';
import type { Notice } from '../state/notices.ts';

/** Long enough to read. A failure stays until it was seen. */
const SHOWN_MS = 6_000;

export function NoticeList() {
  const { notices } = useConsole();
  return (
    <div class="toasts" role="status" data-testid="notices">
      {notices.list.value.map((notice) => (
        <NoticeView key={notice.id} notice={notice} />
      ))}
    </div>
  );
}

function NoticeView({ notice: { id, kind, text, requestId } }: { notice: Notice }) {
  const { notices } = useConsole();
  useEffect(() => {
    if (kind === 'failed') return;
    const timer = setTimeout(() => notices.dismiss(id), SHOWN_MS);
    return () => clearTimeout(timer);
  }, [id]);
  return (
    <div class="toast" data-kind={kind}>
      <span>
        {text}
        {requestId === null ? null : (
          <small class="request-id">
            Request <code>{requestId}</code>
          </small>
        )}
      </span>
      <button type="button" class="quiet icon-button" aria-label="Dismiss" onClick={() => notices.dismiss(id)}>
        <Icon name="close" />
      </button>
    </div>
  );
}

import { useApp } from '../state/context.ts';
import { QueueItem, type LostEdit } from './QueueItem.tsx';

/** What waits to be answered or sent, in its order. */
export function Queue({ onLost }: { onLost: LostEdit }) {
  const { chat } = useApp();
  const { queue } = chat.arranged.value;
  if (queue.length === 0) return null;
  return (
    <section class="queue" aria-label="Waiting messages">
      <ol class="plain-list">
        {queue.map((entry) => (
          <QueueItem key={entry.id} entry={entry} onLost={onLost} />
        ))}
      </ol>
    </section>
  );
}

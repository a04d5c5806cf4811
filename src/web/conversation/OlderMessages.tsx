import { useApp } from '../state/context.ts';

export function OlderMessages() {
  const { chat } = useApp();
  if (chat.view.value?.olderBefore == null) return null;
  return (
    <button
      type="button"
      class="quiet older"
      data-testid="older"
      disabled={chat.loadingOlder.value}
      onClick={() => void chat.loadOlder()}
    >
      {chat.loadingOlder.value ? 'Loading earlier messages…' : 'Show earlier messages'}
    </button>
  );
}

/** Drawn with the messages below it, never alone: its coming and going is part of their place. */
export function OlderMessages({ loading, onLoad }: { loading: boolean; onLoad: () => void }) {
  return (
    <button type="button" class="quiet older" data-testid="older" disabled={loading} onClick={onLoad}>
      {loading ? 'Loading earlier messages…' : 'Show earlier messages'}
    </button>
  );
}

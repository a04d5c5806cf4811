/** What a model thought before it answered: there for who wants it. Plain text, it is not meant as prose. */
export function Thinking({ text, live }: { text: string; live: boolean }) {
  return (
    <details class="thinking" data-testid="thinking">
      <summary>
        <span class={live ? 'thinking-label live' : 'thinking-label'}>{live ? 'Thinking…' : 'Thoughts'}</span>
      </summary>
      <div class="thinking-text">{text}</div>
    </details>
  );
}

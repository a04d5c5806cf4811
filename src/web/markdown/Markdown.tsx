import { signal } from '@preact/signals';
import type { FunctionComponent } from 'preact';

type BlocksComponent = FunctionComponent<{ text: string; complete: boolean }>;

/**
 * The parser is a third of the page's code and nothing needs it for the first paint, so it comes
 * in a file of its own. Until it is there, answers show as plain text.
 */
const blocks = signal<BlocksComponent | null>(null);
const RETRY_MS = 5_000;

export async function loadMarkdown(): Promise<void> {
  try {
    const module = await import('./Blocks.tsx');
    blocks.value = module.Blocks;
  } catch {
    // Offline, or a deployment replaced the file: plain text stays readable meanwhile.
    setTimeout(() => void loadMarkdown(), RETRY_MS);
  }
}

export function Markdown({ text, complete }: { text: string; complete: boolean }) {
  const Loaded = blocks.value;
  return (
    <div class="markdown">{Loaded ? <Loaded text={text} complete={complete} /> : <p class="plain">{text}</p>}</div>
  );
}

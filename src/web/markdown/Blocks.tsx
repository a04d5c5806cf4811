import { useRef } from 'preact/hooks';
import { Block } from './Block.tsx';
import { NO_BLOCKS, parseBlocks } from './incremental.ts';

/** Markdown that may still grow; only its unfinished end is parsed and drawn again. */
export function Blocks({ text, complete }: { text: string; complete: boolean }) {
  const parsed = useRef({ blocks: NO_BLOCKS, complete: false });
  const before = parsed.current;
  if (before.blocks.text !== text || before.complete !== complete) {
    parsed.current = { blocks: parseBlocks(before.blocks, text, complete), complete };
  }
  return (
    <>
      {parsed.current.blocks.tokens.map((token, index) => (
        <Block key={index} token={token} />
      ))}
    </>
  );
}

import type { ComponentChild } from 'preact';
import { useApp } from '../state/context.ts';
import type { ContextLine, Hit } from '../state/ports.ts';
import { hrefOf } from '../state/router.ts';
import { briefTime, titleOr } from '../state/words.ts';

export function SearchResults() {
  const { search } = useApp();
  const { state, hits, hasMore, failure } = search;
  return (
    <div class="scroll-list" aria-busy={state.value === 'searching'}>
      <p class="list-note" role="status">
        {state.value === 'searching' ? 'Searching…' : summary(state.value, hits.value.length, hasMore.value)}
      </p>
      {state.value === 'failed' ? (
        <p class="list-note error-text">
          {failure.value}{' '}
          <button type="button" class="small" onClick={() => search.again()}>
            Try again
          </button>
        </p>
      ) : null}
      <ul class="plain-list" data-testid="search-results">
        {hits.value.map((hit) => (
          <HitView key={`${hit.session.id}/${hit.seq}`} hit={hit} />
        ))}
      </ul>
      {hasMore.value ? (
        <button type="button" class="quiet wide" onClick={() => void search.more()}>
          More results
        </button>
      ) : null}
    </div>
  );
}

function summary(state: string, count: number, more: boolean): string {
  if (state === 'failed') return 'The search failed';
  if (count === 0) return 'Nothing found';
  return `${count}${more ? '+' : ''} ${count === 1 ? 'message' : 'messages'}`;
}

function HitView({ hit }: { hit: Hit }) {
  const { drawerOpen } = useApp();
  return (
    <li>
      <a
        class="hit"
        data-testid="search-hit"
        href={hrefOf(hit.session.id, hit.seq)}
        onClick={() => (drawerOpen.value = false)}
      >
        <span class="row-top">
          <span class="row-title">{titleOr(hit.session.title)}</span>
          <span class="row-time">{briefTime(hit.at, Date.now())}</span>
        </span>
        <ContextView line={hit.before.at(-1)} />
        <span class="hit-text">
          <span class="who">{hit.role === 'user' ? 'You' : 'Bot'}:</span> {marked(hit.excerpt)}
        </span>
        <ContextView line={hit.after[0]} />
      </a>
    </li>
  );
}

function ContextView({ line }: { line: ContextLine | undefined }) {
  if (!line || line.text === '') return null;
  return (
    <span class="hit-context">
      {line.role === 'user' ? 'You' : 'Bot'}: {line.text}
    </span>
  );
}

function marked({ text, matches, cutStart, cutEnd }: Hit['excerpt']): ComponentChild[] {
  const parts: ComponentChild[] = [cutStart ? '…' : ''];
  let at = 0;
  for (const [from, to] of matches) {
    parts.push(text.slice(at, from), <mark>{text.slice(from, to)}</mark>);
    at = to;
  }
  parts.push(text.slice(at), cutEnd ? '…' : '');
  return parts;
}

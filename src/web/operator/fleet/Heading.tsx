import { useConsole } from '../state/context.ts';
import type { Sort } from '../state/selection.ts';
import { COLUMNS } from './columns.ts';

/** The columns' names; each sorts by its column. */
export function Heading() {
  return (
    <div class="bot-heading" role="rowgroup">
      <div role="row" aria-rowindex={1}>
        <HeadingCell sort="state" title="State" />
        <HeadingCell sort="name" title="Bot" />
        {COLUMNS.map(({ sort, title, isNumber, help }) => (
          <HeadingCell key={sort} sort={sort} title={title} isNumber={isNumber} help={help} />
        ))}
        <span role="columnheader" class="cell-menu">
          <span class="offscreen">Actions</span>
        </span>
      </div>
    </div>
  );
}

interface CellProps {
  sort: Sort;
  title: string;
  isNumber?: boolean;
  help?: string | undefined;
}

function HeadingCell({ sort, title, isNumber = false, help }: CellProps) {
  const { selection } = useConsole();
  const isSorted = selection.sort.value === sort;
  const order = selection.descending.value ? 'descending' : 'ascending';
  return (
    <span role="columnheader" aria-sort={isSorted ? order : undefined} class={isNumber ? 'cell-number' : undefined}>
      <button type="button" class="quiet" title={help} onClick={() => selection.sortBy(sort)}>
        {title}
        <span aria-hidden="true">{isSorted ? (order === 'ascending' ? ' ↑' : ' ↓') : ''}</span>
      </button>
    </span>
  );
}

import { useLayoutEffect, useRef } from 'preact/hooks';
import { useConsole } from '../state/context.ts';
import { hrefOf } from '../state/router.ts';
import { FailureNote } from '../ui/FailureNote.tsx';
import { isTyping } from '../../ui/typing.ts';
import { useMedia } from '../ui/useMedia.ts';
import { BotRowView } from './BotRowView.tsx';
import { Heading } from './Heading.tsx';
import { Toolbar } from './Toolbar.tsx';
import { useWindow } from './useWindow.ts';

const ROW_PX = 40;
/** Two lines, and as much as a finger needs. */
const PHONE_ROW_PX = 68;
const ROWS_PER_PAGE_KEY = 10;

export function BotList() {
  const { fleet, selection } = useConsole();
  const scroller = useRef<HTMLDivElement>(null);
  const rowPx = useMedia('(max-width: 760px)') ? PHONE_ROW_PX : ROW_PX;
  const bots = selection.shown.value;
  const { from, to, measure } = useWindow(scroller, bots.length, rowPx);
  const focusAt = useRowFocus(scroller, rowPx, measure);
  useLayoutEffect(() => {
    scroller.current?.scrollTo(0, selection.left.scrollPx);
    const at = bots.findIndex(({ id }) => id === selection.left.bot);
    // Not from under somebody who is typing a command.
    if (at !== -1 && !isTyping(document.activeElement)) focusAt(at, bots[at]?.id);
    return () => selection.hold(false);
  }, []);

  const onKeyDown = (event: KeyboardEvent) => {
    const link = event.target instanceof HTMLElement ? event.target.closest('[data-row-link]') : null;
    const id = link?.closest<HTMLElement>('[data-bot]')?.dataset.bot;
    const at = bots.findIndex((bot) => bot.id === id);
    const next = at === -1 ? undefined : moved(event.key, at, bots.length);
    if (next === undefined) return;
    event.preventDefault();
    focusAt(next, bots[next]?.id);
  };
  return (
    <>
      <Toolbar onDown={() => focusAt(0, bots[0]?.id)} />
      {fleet.isComplete.value ? null : (
        <p class="note" role="status" data-testid="incomplete">
          The server cannot read its database just now: bots or their measurements are missing here. They go on working.
        </p>
      )}
      <div
        ref={scroller}
        class="bot-list"
        role="table"
        aria-label="Bots"
        aria-rowcount={bots.length + 1}
        data-testid="bot-list"
        onScroll={() => {
          measure();
          selection.left.scrollPx = scroller.current?.scrollTop ?? 0;
        }}
        onKeyDown={onKeyDown}
        onPointerEnter={() => selection.hold(true)}
        onPointerLeave={() => selection.hold(false)}
      >
        <Heading />
        <div class="bot-rows" role="rowgroup" style={{ height: `${bots.length * rowPx}px` }}>
          {bots.slice(from, to).map((bot, index) => (
            <BotRowView key={bot.id} bot={bot} place={from + index + 1} topPx={(from + index) * rowPx} />
          ))}
        </div>
        {bots.length === 0 ? <Nothing /> : null}
      </div>
    </>
  );

  function Nothing() {
    const { answeredAt, failure } = fleet.poll;
    if (answeredAt.value === null && failure.value) {
      return <FailureNote what="The bots could not be listed" error={failure.value} />;
    }
    if (answeredAt.value === null) return <p class="empty">Loading the bots.</p>;
    if (fleet.bots.value.length > 0) return <p class="empty">No bot matches.</p>;
    return (
      <p class="empty">
        There are no bots yet. <a href={hrefOf({ page: 'new' })}>Define one</a>.
      </p>
    );
  }
}

function moved(key: string, at: number, rows: number): number | undefined {
  const to = {
    ArrowDown: at + 1,
    ArrowUp: at - 1,
    PageDown: at + ROWS_PER_PAGE_KEY,
    PageUp: at - ROWS_PER_PAGE_KEY,
    Home: 0,
    End: rows - 1,
  }[key];
  return to === undefined ? undefined : Math.min(Math.max(to, 0), rows - 1);
}

/** Gives the focus to a row, which may not be in the page before it is scrolled to. */
function useRowFocus(scroller: { readonly current: HTMLElement | null }, rowPx: number, measure: () => void) {
  return (at: number, id: string | undefined) => {
    const list = scroller.current;
    if (!list || id === undefined) return;
    // The heading sticks to the top and would cover a row there.
    const top = at * rowPx;
    const room = list.clientHeight - 2 * rowPx;
    if (top < list.scrollTop) list.scrollTop = top;
    else if (top > list.scrollTop + room) list.scrollTop = top - room;
    // Not left to the scroll event: the row has to be there by the next frame, whichever comes first.
    measure();
    requestAnimationFrame(() => {
      list.querySelector<HTMLElement>(`[data-bot="${id}"] [data-row-link]`)?.focus({ preventScroll: true });
    });
  };
}

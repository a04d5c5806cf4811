import type { ComponentChildren, TargetedToggleEvent } from 'preact';
import { useId, useRef } from 'preact/hooks';
import { Icon, type IconName } from './Icon.tsx';

const GAP_PX = 4;
const EDGE_PX = 8;

/** A button that opens a short list of actions. The browser's popover brings Escape and click-outside. */
export function Menu({ label, children }: { label: string; children: ComponentChildren }) {
  const id = useId();
  const button = useRef<HTMLButtonElement>(null);
  const list = useRef<HTMLDivElement>(null);

  const place = (event: TargetedToggleEvent<HTMLDivElement>) => {
    if (event.newState !== 'open' || !button.current || !list.current) return;
    const anchor = button.current.getBoundingClientRect();
    const { offsetWidth: width, offsetHeight: height } = list.current;
    const below = anchor.bottom + GAP_PX;
    const top = below + height > innerHeight - EDGE_PX ? anchor.top - GAP_PX - height : below;
    const left = Math.min(Math.max(EDGE_PX, anchor.right - width), innerWidth - EDGE_PX - width);
    list.current.style.top = `${Math.max(EDGE_PX, top)}px`;
    list.current.style.left = `${left}px`;
    list.current.querySelector<HTMLElement>('a, button')?.focus();
  };
  return (
    <>
      <button ref={button} type="button" class="quiet icon-button" aria-label={label} title={label} popovertarget={id}>
        <Icon name="more" />
      </button>
      <div
        ref={list}
        id={id}
        popover="auto"
        class="menu"
        onToggle={place}
        onClick={() => list.current?.hidePopover()}
        onKeyDown={(event) => moveFocus(event, list.current)}
      >
        {children}
      </div>
    </>
  );
}

function moveFocus(event: KeyboardEvent, list: HTMLElement | null): void {
  const step = event.key === 'ArrowDown' ? 1 : event.key === 'ArrowUp' ? -1 : 0;
  if (step === 0 || !list) return;
  event.preventDefault();
  const items = [...list.querySelectorAll<HTMLElement>('a, button')];
  const at = items.findIndex((item) => item === document.activeElement);
  items[(at + step + items.length) % items.length]?.focus();
}

export function MenuAction(props: { icon: IconName; label: string; danger?: boolean; onChoose: () => void }) {
  return (
    <button type="button" class={props.danger ? 'menu-item danger' : 'menu-item'} onClick={props.onChoose}>
      <Icon name={props.icon} />
      {props.label}
    </button>
  );
}

export function MenuDownload({ label, href }: { label: string; href: string }) {
  return (
    <a class="menu-item" href={href} download>
      <Icon name="download" />
      {label}
    </a>
  );
}

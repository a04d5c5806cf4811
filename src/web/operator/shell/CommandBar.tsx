import { useSignal } from '@preact/signals';
import { useId, useLayoutEffect, useRef } from 'preact/hooks';
import { isComposing } from '../../ui/composing.ts';
import { Icon } from '../../ui/Icon.tsx';
import { suggestionsFor, type Suggestion } from '../state/commands.ts';
import { useConsole } from '../state/context.ts';
import { runCommand, type Output } from '../state/run-command.ts';
import { isTyping } from '../../ui/typing.ts';

/** A line for commands, with `/` from everywhere: names and bots are offered as they are typed. */
export function CommandBar() {
  const state = useConsole();
  const line = useSignal('');
  /** -1: none; the line is run as it stands. */
  const chosen = useSignal(-1);
  const output = useSignal<Output | null>(null);
  const offered = useSignal(false);
  const input = useRef<HTMLInputElement>(null);
  const listId = useId();

  // Before anything is drawn: whoever sees the page can use its keys.
  useLayoutEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      const isCommandK = (event.ctrlKey || event.metaKey) && event.key.toLowerCase() === 'k';
      if (!isCommandK && (event.key !== '/' || event.ctrlKey || event.metaKey || isTyping(event.target))) return;
      if (document.querySelector('dialog[open]')) return;
      event.preventDefault();
      type(line.peek() === '' ? '/' : line.peek());
      input.current?.focus();
    };
    addEventListener('keydown', onKey);
    return () => removeEventListener('keydown', onKey);
  }, []);

  const suggestions = offered.value ? suggestionsFor(line.value, state.fleet.bots.value) : [];
  const type = (text: string) => {
    line.value = text;
    chosen.value = -1;
    offered.value = true;
    output.value = null;
  };
  const take = ({ line: next }: Suggestion) => {
    type(next);
    if (!next.endsWith(' ')) run();
    input.current?.focus();
  };
  const run = () => {
    if (line.peek().trim() === '') return;
    output.value = runCommand(state, line.peek());
    offered.value = false;
    if (output.peek()?.ok) line.value = '';
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (isComposing(event)) return;
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    const suggestion = suggestions[chosen.peek()];
    if (step !== undefined && suggestions.length > 0) {
      // One place more than there are: the line itself.
      const places = suggestions.length + 1;
      chosen.value = ((chosen.peek() + 1 + step + places) % places) - 1;
    } else if (event.key === 'Enter') {
      if (suggestion) take(suggestion);
      else run();
    } else if (event.key === 'Tab' && !event.shiftKey && suggestions.length > 0) {
      type((suggestion ?? suggestions[0])?.line ?? '');
    } else if (event.key === 'Escape') {
      type('');
      input.current?.blur();
    } else return;
    event.preventDefault();
  };
  return (
    <div class="command-bar">
      <Icon name="chevron" />
      <input
        ref={input}
        type="text"
        role="combobox"
        data-testid="command"
        aria-label="Command"
        aria-keyshortcuts="/ Control+K"
        aria-expanded={suggestions.length > 0}
        aria-controls={listId}
        aria-activedescendant={chosen.value === -1 ? undefined : `${listId}-${chosen.value}`}
        aria-autocomplete="list"
        autocomplete="off"
        autocapitalize="off"
        spellcheck={false}
        placeholder="/ for a command"
        value={line}
        onInput={(event) => type(event.currentTarget.value)}
        onKeyDown={onKeyDown}
        onBlur={() => (offered.value = false)}
      />
      <ul
        id={listId}
        class="suggestions plain-list"
        role="listbox"
        aria-label="Commands"
        hidden={suggestions.length === 0}
      >
        {suggestions.map((suggestion, index) => (
          <li
            key={suggestion.line}
            id={`${listId}-${index}`}
            role="option"
            aria-selected={index === chosen.value}
            // Before the click the field would lose the focus, and the list with it.
            onMouseDown={(event) => event.preventDefault()}
            onClick={() => take(suggestion)}
          >
            <code>{suggestion.line}</code> <span>{suggestion.words}</span>
          </li>
        ))}
      </ul>
      <CommandOutput output={output.value} onClose={() => (output.value = null)} />
    </div>
  );
}

function CommandOutput({ output, onClose }: { output: Output | null; onClose: () => void }) {
  const lines = output?.lines ?? [];
  return (
    <div
      class="command-output"
      role="status"
      data-testid="command-output"
      data-ok={output?.ok}
      hidden={lines.length === 0}
    >
      {lines.map((text) => (
        <p key={text}>{text}</p>
      ))}
      {lines.length === 0 ? null : (
        <button type="button" class="quiet icon-button" aria-label="Close" onClick={onClose}>
          <Icon name="close" />
        </button>
      )}
    </div>
  );
}

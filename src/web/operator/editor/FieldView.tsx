import { useId } from 'preact/hooks';
import type { Editor } from '../state/editor.ts';
import { duration } from '../state/words.ts';
import { FIELDS, type FieldInfo, type FieldName } from './fields.ts';

const AREA_ROWS = 5;

export function FieldView({ field, editor }: { field: FieldName; editor: Editor }) {
  const id = useId();
  const info = FIELDS[field];
  const value = editor.values.value[field];
  const problem = editor.problems.value.get(field);
  const isFixed = field === 'id' && editor.bot !== null;
  return (
    <div class={`field field-${info.input}`} data-testid={`field-${field}`}>
      <label for={id}>{info.label}</label>
      <Control
        id={id}
        info={info}
        value={value}
        isFixed={isFixed}
        isWrong={problem !== undefined}
        onInput={(text) => editor.set(field, text)}
        onLeave={() => editor.touch(field)}
      />
      <p id={`${id}-help`} class="hint">
        {info.isMs && /^\d+$/.test(value) ? <strong>{duration(Number(value))}. </strong> : null}
        {info.help}
      </p>
      <p id={`${id}-problem`} class="field-problem error-text" role="alert">
        {problem ? `${info.label} ${problem}.` : ''}
      </p>
    </div>
  );
}

interface ControlProps {
  id: string;
  info: FieldInfo;
  value: string;
  isFixed: boolean;
  isWrong: boolean;
  onInput: (text: string) => void;
  onLeave: () => void;
}

function Control({ id, info, value, isFixed, isWrong, onInput, onLeave }: ControlProps) {
  const common = {
    id,
    value,
    class: info.isCode ? 'code' : undefined,
    'aria-invalid': isWrong,
    'aria-describedby': `${id}-help ${id}-problem`,
    onBlur: onLeave,
  };
  if (info.input === 'choice') {
    return (
      <select
        {...common}
        onChange={(event) => {
          onInput(event.currentTarget.value);
          onLeave();
        }}
      >
        {value === '' && !(info.choices ?? []).some(([choice]) => choice === '') ? (
          <option value="">As configured</option>
        ) : null}
        {(info.choices ?? []).map(([choice, words]) => (
          <option key={choice} value={choice}>
            {words}
          </option>
        ))}
      </select>
    );
  }
  const text = { ...common, placeholder: info.placeholder, spellcheck: !info.isCode };
  if (info.input === 'area') {
    return <textarea {...text} rows={AREA_ROWS} onInput={(event) => onInput(event.currentTarget.value)} />;
  }
  return (
    <input
      {...text}
      // Not type=number: it hides what was typed wrong, and a wheel over it changes it.
      type="text"
      inputMode={info.input === 'number' ? 'numeric' : 'text'}
      autocomplete="off"
      readOnly={isFixed}
      onInput={(event) => onInput(event.currentTarget.value)}
    />
  );
}

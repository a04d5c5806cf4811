import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { copyText } from './clipboard.ts';
import { Icon } from './Icon.tsx';

const CONFIRMATION_MS = 1_500;

export function CopyButton({ text, label, withText = false }: { text: string; label: string; withText?: boolean }) {
  const outcome = useSignal<'idle' | 'copied' | 'refused'>('idle');
  useEffect(() => {
    if (outcome.value === 'idle') return;
    const timer = setTimeout(() => (outcome.value = 'idle'), CONFIRMATION_MS);
    return () => clearTimeout(timer);
  }, [outcome.value]);

  const copy = async () => {
    outcome.value = (await copyText(text)) ? 'copied' : 'refused';
  };
  const words = { idle: 'Copy', copied: 'Copied', refused: 'Not allowed' }[outcome.value];
  return (
    <button type="button" class="quiet small" aria-label={outcome.value === 'idle' ? label : words} onClick={copy}>
      <Icon name={outcome.value === 'copied' ? 'check' : 'copy'} />
      {withText || outcome.value !== 'idle' ? <span>{words}</span> : null}
    </button>
  );
}

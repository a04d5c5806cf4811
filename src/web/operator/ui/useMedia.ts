import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';

/** Whether the media query holds, as it changes. */
export function useMedia(query: string): boolean {
  const holds = useSignal(matchMedia(query).matches);
  useEffect(() => {
    const list = matchMedia(query);
    const read = () => (holds.value = list.matches);
    read();
    list.addEventListener('change', read);
    return () => list.removeEventListener('change', read);
  }, [query]);
  return holds.value;
}

import { useApp } from '../state/context.ts';

/** Says that the same chat is open elsewhere too, so that what happens there is no surprise. */
export function Tabs() {
  const { chat } = useApp();
  const tabs = chat.view.value?.tabs ?? 1;
  if (tabs < 2 || chat.view.value?.connection !== 'live') return null;
  return (
    <span class="tabs" data-testid="tabs" title={`This chat is open in ${tabs} tabs or devices`}>
      {tabs} tabs
    </span>
  );
}

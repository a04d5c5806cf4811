/**
 * What opens only when somebody asks for it, in one file that comes after the first paint: many
 * small ones would each be a request, and their common parts files of their own at the start.
 */
export { SuggestionsView } from './composer/SuggestionsView.tsx';
export { NoteCard } from './conversation/NoteCard.tsx';
export { BotPanel } from './header/BotPanel.tsx';
export { runCommand } from './state/commands.ts';
export { ShareDialog } from './ui/ShareDialog.tsx';

import { lazy } from '../ui/lazy.tsx';

export const NoteView = lazy((later) => later.NoteCard);

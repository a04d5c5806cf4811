/** Why an answer does not begin yet, in a sentence. */
import type { TurnWait } from '../../protocol/server-frames.ts';

const rules = new Intl.PluralRules('en', { type: 'ordinal' });
const SUFFIXES: Readonly<Record<string, string>> = { one: 'st', two: 'nd', few: 'rd' };

/** `1st`, `2nd`, `3rd`, `11th`. */
export function ordinal(place: number): string {
  return `${place}${SUFFIXES[rules.select(place)] ?? 'th'}`;
}

/** What is waited for, and what happens then. `bot`: the name of the one that is to answer. */
export function waitSentence({ reason, place }: TurnWait, bot: string): string {
  switch (reason) {
    case 'line':
      if (place < 1) return `Waiting in line for ${bot}.`;
      return place === 1 ? `Next in line for ${bot}.` : `${ordinal(place)} in line for ${bot}.`;
    case 'stopped':
      return `${bot} is stopped. Your message is kept, and answered when ${bot} runs again.`;
    case 'paused':
      return `${bot} is paused. Your message is kept, and answered when ${bot} goes on.`;
    case 'endpoint':
      return `The model of ${bot} does not answer just now. It is asked again by itself.`;
    case 'rate':
      return `${bot} has no turns left this minute. Yours begins by itself in the next one.`;
  }
}

/** Changes when a screen reader should hear of it: another reason, and being next; not every place. */
export function waitStep({ reason, place }: TurnWait): string {
  return reason === 'line' && place === 1 ? 'next' : reason;
}

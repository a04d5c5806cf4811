/**
 * What will be written when, decided before the first byte: chunks and faults become one
 * list of steps. Pure, so that every fault can be read here instead of in socket code.
 *
 *     chunk chunk (wait) chunk (error | cut | reset) ... done end
 */
import type { Answer, Chunk } from './answer.ts';
import { isPlaced } from './faults.ts';
import type { Fault, PlacedFault } from './faults.ts';
import type { Settings } from './settings.ts';

/** `afterMs`: from the step before it; Infinity: never. */
export type Step = { readonly afterMs: number } & (
  | { readonly do: 'headers' }
  | { readonly do: 'wait' }
  | { readonly do: 'chunk'; readonly chunk: Chunk; readonly isFirst: boolean }
  | { readonly do: 'half-chunk'; readonly chunk: Chunk; readonly isFirst: boolean }
  | { readonly do: 'half-done' }
  | { readonly do: 'done'; readonly newline: boolean }
  | { readonly do: 'whole'; readonly cutInHalf: boolean }
  | { readonly do: 'garbage' | 'blank' }
  | { readonly do: 'error' | 'error-event'; readonly message: string }
  | { readonly do: 'end'; readonly outcome: 'completed' | 'failed' }
  | { readonly do: 'reset' }
);

export function streamScript(answer: Answer, settings: Settings): readonly Step[] {
  const steps: Step[] = opening(settings);
  const faults = placed(settings.faults);
  const gap = settings.faults.find((fault) => fault.name === 'gap');
  let sent = 0;
  let nextFault = 0;
  let delayMs = settings.firstTokenMs;
  let gapsDone = 0;
  for (const [index, chunk] of answer.chunks.entries()) {
    for (; (faults[nextFault]?.at ?? Infinity) <= sent; nextFault += 1) {
      const fault = faults[nextFault];
      if (fault !== undefined && apply(fault, steps, chunk, index === 0)) return steps;
    }
    if (gap !== undefined && Math.floor(sent / gap.every) > gapsDone) {
      gapsDone = Math.floor(sent / gap.every);
      steps.push({ do: 'wait', afterMs: gap.ms });
    }
    // The first line's tokens past its first one need their time too.
    const tokensBefore = index === 0 ? chunk.tokens - 1 : chunk.tokens;
    steps.push({
      do: 'chunk',
      chunk,
      isFirst: index === 0,
      afterMs: delayMs + tokensBefore * settings.tokenMs,
    });
    delayMs = 0;
    sent += chunk.tokens;
  }
  for (const fault of faults.slice(nextFault)) {
    if (apply(fault, steps, null, false)) return steps;
  }
  steps.push(...closing(settings, delayMs));
  return steps;
}

/** `stream: false`: the same time passes, then one body. */
export function wholeScript(answer: Answer, settings: Settings): readonly Step[] {
  const steps: Step[] = opening(settings);
  const gap = settings.faults.find((fault) => fault.name === 'gap');
  const gapsMs = gap === undefined ? 0 : Math.floor(answer.tokens / gap.every) * gap.ms;
  const lastTokens = Math.max(0, answer.tokens - 1);
  steps.push({
    do: 'wait',
    afterMs: settings.firstTokenMs + lastTokens * settings.tokenMs + gapsMs,
  });
  for (const fault of placed(settings.faults)) {
    if (fault.name === 'cut' || fault.name === 'cut-line') {
      steps.push({ do: 'whole', cutInHalf: true, afterMs: 0 });
      steps.push({ do: 'end', outcome: 'failed', afterMs: 0 });
      return steps;
    }
    if (fault.name === 'reset') steps.push({ do: 'whole', cutInHalf: true, afterMs: 0 });
    if (apply(fault, steps, null, false)) return steps;
  }
  steps.push({ do: 'whole', cutInHalf: false, afterMs: 0 });
  if (has(settings, 'two-done')) steps.push({ do: 'whole', cutInHalf: false, afterMs: 0 });
  steps.push({ do: 'end', outcome: 'completed', afterMs: 0 });
  return steps;
}

function opening(settings: Settings): Step[] {
  const steps: Step[] = [];
  for (const fault of settings.faults) {
    if (fault.name === 'no-headers') steps.push({ do: 'wait', afterMs: fault.ms });
  }
  if (settings.earlyHeaders === 1) steps.push({ do: 'headers', afterMs: 0 });
  return steps;
}

function closing(settings: Settings, delayMs: number): readonly Step[] {
  const newline = !has(settings, 'no-newline');
  const done: Step[] = [{ do: 'done', newline, afterMs: delayMs }];
  if (has(settings, 'two-done')) done.unshift({ do: 'done', newline: true, afterMs: 0 });
  return [...done, { do: 'end', outcome: 'completed', afterMs: 0 }];
}

function placed(faults: readonly Fault[]): readonly PlacedFault[] {
  return faults.filter(isPlaced).sort((a, b) => a.at - b.at);
}

/** Adds the fault's steps; true: nothing comes after it. */
function apply(fault: PlacedFault, steps: Step[], next: Chunk | null, isFirst: boolean): boolean {
  switch (fault.name) {
    case 'huge':
      // Already part of the answer.
      return false;
    case 'garbage':
    case 'blank':
      steps.push({ do: fault.name, afterMs: 0 });
      return false;
    case 'stall':
      steps.push({ do: 'headers', afterMs: 0 }, { do: 'wait', afterMs: fault.ms });
      return fault.ms === Infinity;
    case 'error':
    case 'error-event':
      steps.push({ do: fault.name, message: fault.message, afterMs: 0 });
      steps.push({ do: 'end', outcome: 'failed', afterMs: 0 });
      return true;
    case 'cut-line':
      steps.push(
        next === null ? { do: 'half-done', afterMs: 0 } : { do: 'half-chunk', chunk: next, isFirst, afterMs: 0 },
      );
      steps.push({ do: 'end', outcome: 'failed', afterMs: 0 });
      return true;
    case 'cut':
      steps.push({ do: 'end', outcome: 'failed', afterMs: 0 });
      return true;
    case 'reset':
      steps.push({ do: 'reset', afterMs: 0 });
      return true;
  }
}

function has(settings: Settings, name: Fault['name']): boolean {
  return settings.faults.some((fault) => fault.name === name);
}

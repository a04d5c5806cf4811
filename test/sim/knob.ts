/** Bounds of the code under test that a run may tighten, so that small histories reach their edges. */
interface Knob {
  standard: number;
  set(value: number): void;
}

const knobs = new Map<string, Knob>();

/** Called by every module whose bound was opened by `hooks.ts`. */
export function knob(name: string, standard: number, set: (value: number) => void): void {
  knobs.set(name, { standard, set });
}

/** Gives every bound its value from `values`, or its own where that names none. */
export function turnKnobs(values: Readonly<Record<string, number>>): void {
  for (const [name, { standard, set }] of knobs) set(values[name] ?? standard);
  for (const name of Object.keys(values)) if (!knobs.has(name)) throw new Error(`there is no bound ${name}`);
}

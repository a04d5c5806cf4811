/** How a bare object reads the model's answer: see worker.ts. */
export const BARE_MODES = ['each', 'paced', 'whole'] as const;
export type BareMode = (typeof BARE_MODES)[number];

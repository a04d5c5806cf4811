/** The reports' own classes of response times, filled from the finer ones that every run draws. */
import type { Run } from './runs.ts';

/** Upper bounds in ms, and the share in percent that the reports claim. */
export const CLASSES = [
  { upTo: 100, name: '< 100 ms', claimed: '5' },
  { upTo: 200, name: '100-200 ms', claimed: '35' },
  { upTo: 300, name: '200-300 ms', claimed: '40' },
  { upTo: 500, name: '300-500 ms', claimed: '18' },
  { upTo: 1_000, name: '500-1,000 ms', claimed: '2' },
  { upTo: Infinity, name: 'above', claimed: '0.01' },
] as const;

export interface Distribution {
  run: string;
  /** In percent, as `CLASSES`. */
  shares: number[];
}

export function distributionOf(run: Run): Distribution | null {
  const chart = run.charts.find(({ title }) => title.endsWith('how the times are spread'));
  const answers = chart?.series.find(({ name }) => name === 'answer, in all');
  if (!chart?.labels || !answers) return null;
  const shares = CLASSES.map(() => 0);
  for (const [index, label] of chart.labels.entries()) {
    // "< 200" holds what is above the label before it: the last, "≥ 5000", has no bound.
    const bound = label.startsWith('<') ? Number(label.slice(1)) : Infinity;
    const into = CLASSES.findIndex(({ upTo }) => bound <= upTo);
    const share = answers.points[index]?.[1] ?? 0;
    shares[into] = (shares[into] ?? 0) + share;
  }
  return { run: run.name, shares };
}

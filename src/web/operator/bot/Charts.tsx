import { useEffect } from 'preact/hooks';
import { useSignal } from '@preact/signals';
import { useConsole } from '../state/context.ts';
import type { Lines } from '../state/history.ts';
import { moment } from '../state/words.ts';
import type { Chart as ChartOf } from './Chart.tsx';

export interface ChartLine {
  name: keyof Omit<Lines, 'times'>;
  label: string;
  /** Which of the palette's colors, `--chart-1` and so on. */
  color: 1 | 2 | 3 | 4;
}

export interface ChartInfo {
  title: string;
  unit: 'rate' | 'ms' | 'count';
  lines: readonly ChartLine[];
}

const CHARTS: readonly ChartInfo[] = [
  {
    title: 'Turns and errors per second',
    unit: 'rate',
    lines: [
      { name: 'turns', label: 'turns/s', color: 1 },
      { name: 'errors', label: 'errors/s', color: 4 },
    ],
  },
  {
    title: 'Tokens per second',
    unit: 'rate',
    lines: [
      { name: 'answerTokens', label: 'answers', color: 1 },
      { name: 'promptTokens', label: 'prompts', color: 2 },
    ],
  },
  {
    title: 'Running and waiting',
    unit: 'count',
    lines: [
      { name: 'running', label: 'running', color: 1 },
      { name: 'queued', label: 'queue', color: 3 },
    ],
  },
  {
    title: 'Time to the first token',
    unit: 'ms',
    lines: [
      { name: 'firstTokenP50', label: 'p50', color: 1 },
      { name: 'firstTokenP95', label: 'p95', color: 3 },
    ],
  },
  {
    title: 'Time in all',
    unit: 'ms',
    lines: [
      { name: 'totalP50', label: 'p50', color: 1 },
      { name: 'totalP95', label: 'p95', color: 3 },
    ],
  },
];

/** The library is loaded with the first chart, not with the list. */
let loading: Promise<typeof ChartOf> | null = null;
const loadChart = (): Promise<typeof ChartOf> => (loading ??= import('./Chart.tsx').then(({ Chart }) => Chart));

/** What the bot did since this page was opened. */
export function Charts() {
  const { open, now } = useConsole();
  const chart = useSignal<{ Chart: typeof ChartOf } | null>(null);
  const failed = useSignal(false);
  useEffect(() => {
    loadChart().then(
      (Chart) => (chart.value = { Chart }),
      () => {
        loading = null;
        failed.value = true;
      },
    );
  }, []);
  if (failed.value) return <p class="empty">The charts could not be loaded. Reload the page.</p>;
  const lines = open.lines.value;
  const since = lines.times[0];
  const Chart = chart.value?.Chart;
  return (
    <section aria-label="Charts">
      <p class="muted chart-note">
        {since === undefined ? 'No measurement yet.' : `Seen by this page since ${moment(since * 1_000, now.value)}. `}
        Rates over 10 s, percentiles of the last minute.
      </p>
      <div class="charts">
        {CHARTS.map((info) => (
          <figure key={info.title} class="chart" data-testid="chart">
            <figcaption>{info.title}</figcaption>
            {Chart ? <Chart info={info} lines={lines} /> : <div class="chart-space" />}
          </figure>
        ))}
      </div>
    </section>
  );
}

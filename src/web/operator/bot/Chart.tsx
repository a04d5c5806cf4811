import { useEffect, useRef } from 'preact/hooks';
import uPlot from 'uplot';
import type { Lines } from '../state/history.ts';
import { count, duration, UNKNOWN } from '../state/words.ts';
import { useMedia } from '../ui/useMedia.ts';
import type { ChartInfo } from './Charts.tsx';

const HEIGHT_PX = 150;
const AXIS_PX = 52;
const TIME_AXIS_PX = 26;
const LINE_PX = 1.75;
/** An axis that shows less than this would make noise look like news. */
const LEAST_MAX = { rate: 1, ms: 100, count: 4 } as const;
/** Half an answer is never running. */
const WHOLE_STEPS = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000];
/** Pointers of all charts move together. */
const SYNC_KEY = 'bot';

const toMinutes = new Intl.DateTimeFormat(undefined, { hour: '2-digit', minute: '2-digit', hourCycle: 'h23' });
const toSeconds = new Intl.DateTimeFormat(undefined, { timeStyle: 'medium', hourCycle: 'h23' });

interface Props {
  info: ChartInfo;
  lines: Lines;
}

/** Lines over time on a canvas; the legend below says the newest values, or those under the pointer. */
export function Chart({ info, lines }: Props) {
  const box = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | null>(null);
  const isDark = useMedia('(prefers-color-scheme: dark)');
  const data: uPlot.AlignedData = [lines.times, ...info.lines.map(({ name }) => lines[name])];

  // Colors are read from the styles when a chart is made, so another scheme makes another chart.
  useEffect(() => {
    const parent = box.current;
    if (!parent) return;
    const made = new uPlot(optionsFor(info, parent), data, parent);
    plot.current = made;
    const observer = new ResizeObserver(() => made.setSize({ width: parent.clientWidth, height: HEIGHT_PX }));
    observer.observe(parent);
    return () => {
      observer.disconnect();
      made.destroy();
      plot.current = null;
    };
  }, [isDark, info]);
  useEffect(() => plot.current?.setData(data), [lines]);

  return (
    <>
      <div ref={box} class="chart-space" />
      <p class="offscreen">{info.lines.map(({ name, label }) => `${label} ${newest(info, lines[name])}`).join(', ')}</p>
    </>
  );
}

function newest({ unit }: ChartInfo, line: readonly (number | null)[]): string {
  return words(unit, line.at(-1) ?? null);
}

function optionsFor(info: ChartInfo, parent: HTMLElement): uPlot.Options {
  const styles = getComputedStyle(parent);
  const color = (name: string) => styles.getPropertyValue(name).trim();
  const axis: uPlot.Axis = {
    stroke: color('--muted'),
    grid: { stroke: color('--line'), width: 1 },
    ticks: { show: false },
    font: `11px ${color('--sans')}`,
  };
  return {
    width: parent.clientWidth,
    height: HEIGHT_PX,
    padding: [8, 8, 0, 0],
    scales: { y: { range: (_, __, max) => [0, Math.max(max * 1.1, LEAST_MAX[info.unit])] } },
    axes: [
      { ...axis, size: TIME_AXIS_PX, space: 70, values: (_, ticks, __, ___, step) => ticks.map(timeWords(step)) },
      {
        ...axis,
        size: AXIS_PX,
        space: 28,
        values: (_, ticks) => ticks.map((tick) => words(info.unit, tick)),
        ...(info.unit === 'count' ? { incrs: WHOLE_STEPS } : {}),
      },
    ],
    cursor: { sync: { key: SYNC_KEY }, drag: { x: false, y: false }, points: { size: 6 } },
    legend: { live: true },
    series: [
      { value: (_, at) => (at == null ? 'now' : toSeconds.format(at * 1_000)) },
      ...info.lines.map((line): uPlot.Series => ({
        label: line.label,
        stroke: color(`--chart-${line.color}`),
        width: LINE_PX,
        points: { show: false },
        value: (plot, value, series) => words(info.unit, value ?? lastOf(plot, series)),
      })),
    ],
  };
}

/** Steps of whole minutes need no seconds. */
function timeWords(stepSeconds: number): (at: number) => string {
  const format = stepSeconds % 60 === 0 ? toMinutes : toSeconds;
  return (at) => format.format(at * 1_000);
}

/** Without a pointer the legend shows how things are. */
function lastOf(plot: uPlot, series: number): number | null {
  return plot.cursor.idx == null ? (plot.data[series]?.at(-1) ?? null) : null;
}

function words(unit: ChartInfo['unit'], value: number | null): string {
  if (value === null) return UNKNOWN;
  if (unit === 'ms') return duration(value);
  return unit === 'count' || value >= 10 || value === 0 ? count(value) : value.toFixed(value < 1 ? 2 : 1);
}

/** A chart as inline SVG: nothing has to be loaded, and nothing runs. */
import { escapeHtml } from './escape.ts';
import { numberText } from './numbers.ts';
import type { RunChart } from './runs.ts';

const WIDTH = 560;
const HEIGHT = 220;
const LEFT = 58;
const RIGHT = 12;
const TOP = 12;
const BOTTOM = 42;
const TICKS = 4;
const COLOURS = ['#2563eb', '#dc2626', '#059669', '#d97706', '#7c3aed', '#0891b2', '#be185d', '#4b5563'];
/** A label of a bar may take so many characters before it is cut. */
const LABEL_CHARACTERS = 14;

type Point = readonly [x: number, y: number];
interface Line {
  name: string;
  colour: string;
  points: Point[];
}

export function drawingOf(chart: RunChart): string {
  const lines = chart.series.map(({ name, points }, index): Line => ({
    name,
    colour: COLOURS[index % COLOURS.length] ?? 'black',
    points: points.flatMap(([x, y]): Point[] => (x === null || y === null ? [] : [[x, y]])),
  }));
  const drawn = chart.kind === 'bars' ? bars(lines, chart.labels ?? []) : curves(lines);
  return [
    `<figure><figcaption>${escapeHtml(chart.title)}</figcaption>`,
    `<svg viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="${escapeHtml(chart.title)}">`,
    drawn,
    `<text x="${LEFT}" y="${HEIGHT - 4}">${escapeHtml(`${chart.y}${chart.x === '' ? '' : `, by ${chart.x}`}`)}</text>`,
    '</svg>',
    `<p class="legend">${lines.map(({ name, colour }) => `<span style="color:${colour}">■</span> ${escapeHtml(name)}`).join(' &nbsp; ')}</p>`,
    '</figure>',
  ].join('\n');
}

function highest(lines: readonly Line[]): number {
  const top = Math.max(0, ...lines.flatMap(({ points }) => points.map(([, y]) => y)));
  return top === 0 ? 1 : top;
}

/** Where a value stands, and the lines that say how much it is. */
function axis(top: number): { y: (value: number) => number; svg: string } {
  const y = (value: number): number => TOP + (1 - Math.max(0, value) / top) * (HEIGHT - TOP - BOTTOM);
  const ticks = Array.from({ length: TICKS + 1 }, (_, tick) => {
    const value = (top * tick) / TICKS;
    const at = y(value).toFixed(1);
    return `<path class="grid" d="M${LEFT} ${at}H${WIDTH - RIGHT}"/><text class="y" x="${LEFT - 5}" y="${at}">${numberText(value)}</text>`;
  });
  return { y, svg: ticks.join('') };
}

function curves(lines: readonly Line[]): string {
  const xs = lines.flatMap(({ points }) => points.map(([x]) => x));
  if (xs.length === 0) return '';
  const [from, to] = [Math.min(...xs), Math.max(...xs)];
  const { y, svg } = axis(highest(lines));
  const x = (value: number): number => LEFT + ((value - from) / (to - from || 1)) * (WIDTH - LEFT - RIGHT);
  const paths = lines.map(({ colour, points }) => {
    const d = points.map(([px, py], index) => `${index === 0 ? 'M' : 'L'}${x(px).toFixed(1)} ${y(py).toFixed(1)}`);
    const dots = points.map(
      ([px, py]) => `<circle cx="${x(px).toFixed(1)}" cy="${y(py).toFixed(1)}" r="1.6" fill="${colour}"/>`,
    );
    return `<path d="${d.join('')}" fill="none" stroke="${colour}" stroke-width="1.4"/>${dots.join('')}`;
  });
  const ends = `<text class="x" x="${LEFT}" y="${HEIGHT - 24}">${numberText(from)}</text><text class="x" x="${WIDTH - RIGHT - 12}" y="${HEIGHT - 24}">${numberText(to)}</text>`;
  return svg + paths.join('') + ends;
}

function bars(lines: readonly Line[], labels: readonly string[]): string {
  if (labels.length === 0) return '';
  const { y, svg } = axis(highest(lines));
  const group = (WIDTH - LEFT - RIGHT) / labels.length;
  const width = (group * 0.8) / Math.max(1, lines.length);
  const drawn = lines.flatMap(({ colour, points }, index) =>
    points.map(([slot, value]) => {
      const x = LEFT + slot * group + group * 0.1 + index * width;
      return `<rect x="${x.toFixed(1)}" y="${y(value).toFixed(1)}" width="${Math.max(0.5, width - 0.5).toFixed(1)}" height="${(y(0) - y(value)).toFixed(1)}" fill="${colour}"/>`;
    }),
  );
  const names = labels.map((label, slot) => {
    const text = label.length > LABEL_CHARACTERS ? `${label.slice(0, LABEL_CHARACTERS - 1)}…` : label;
    return `<text class="x" x="${(LEFT + (slot + 0.5) * group).toFixed(1)}" y="${HEIGHT - 24}">${escapeHtml(text)}</text>`;
  });
  return svg + drawn.join('') + names.join('');
}

/** Prometheus' text format 0.0.4: https://prometheus.io/docs/instrumenting/exposition_formats/ */
import { BUCKET_BOUNDS_MS, type Histogram } from './histogram.ts';

export const EXPOSITION_TYPE = 'text/plain; version=0.0.4; charset=utf-8';

export type Labels = Readonly<Record<string, string>>;

export interface Sample {
  labels: Labels;
  value: number;
  /** What a histogram's samples add to its name. */
  suffix?: '_bucket' | '_sum' | '_count';
  /** A bucket's label, apart from the others, which all buckets share: a scrape has thousands of them. */
  le?: string;
}

export interface Family {
  name: string;
  type: 'counter' | 'gauge' | 'histogram';
  help: string;
  samples: Sample[];
}

const MS_PER_SECOND = 1_000;
/** Prometheus' base unit, without the digits that dividing in binary adds. */
export function seconds(ms: number): number {
  return Number((ms / MS_PER_SECOND).toPrecision(12));
}

/** The upper bounds as labels. */
const BUCKETS = [...BUCKET_BOUNDS_MS, Number.POSITIVE_INFINITY].map((bound) => numberText(seconds(bound)));

/** A histogram's samples: cumulative buckets up to `+Inf`, their sum in seconds, their count. */
export function histogramSamples(labels: Labels, { counts, sumMs }: Histogram): Sample[] {
  let below = 0;
  const buckets = BUCKETS.map((le, bucket): Sample => {
    below += counts[bucket] ?? 0;
    return { suffix: '_bucket', labels, le, value: below };
  });
  return [...buckets, { suffix: '_sum', labels, value: seconds(sumMs) }, { suffix: '_count', labels, value: below }];
}

/** Families without a sample are left out: there is nothing to say about them. */
export function renderExposition(families: readonly Family[]): string {
  const lines: string[] = [];
  for (const { name, type, help, samples } of families) {
    if (samples.length === 0) continue;
    lines.push(`# HELP ${name} ${escapeHelp(help)}`, `# TYPE ${name} ${type}`);
    let known: Labels = {};
    let shared = '';
    for (const { labels, value, suffix = '', le } of samples) {
      if (known !== labels) shared = pairsOf(labels);
      known = labels;
      const pairs = le === undefined ? shared : `${shared}${shared === '' ? '' : ','}le="${le}"`;
      lines.push(`${name}${suffix}${pairs === '' ? '' : `{${pairs}}`} ${numberText(value)}`);
    }
  }
  return `${lines.join('\n')}\n`;
}

function pairsOf(labels: Labels): string {
  return Object.entries(labels)
    .map(([name, value]) => `${name}="${escapeLabel(value)}"`)
    .join(',');
}

/** A backslash, a quote or a line's end in a value would end it, or the line: models and codes may hold anything. */
function escapeLabel(value: string): string {
  // Half of a surrogate pair has no UTF-8 form; a carriage return ends lines for some readers.
  return value
    .toWellFormed()
    .replaceAll('\\', '\\\\')
    .replaceAll('"', '\\"')
    .replaceAll('\n', '\\n')
    .replaceAll('\r', ' ');
}

function escapeHelp(text: string): string {
  return text.replaceAll('\\', '\\\\').replaceAll('\n', '\\n');
}

function numberText(value: number): string {
  if (value === Number.POSITIVE_INFINITY) return '+Inf';
  return value === Number.NEGATIVE_INFINITY ? '-Inf' : String(value);
}

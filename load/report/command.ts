/** `npm run load -- report`: runs everything, or reads what was run, and writes page and Markdown. */
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { ROOT } from '../../src/local/build-worker.ts';
import { RESULTS } from '../command.ts';
import { LoadError } from '../scenario.ts';
import { markdownOf } from './markdown.ts';
import { pageOf } from './page.ts';
import { PLAN } from './plan.ts';
import { runAll } from './run-all.ts';
import { Runs } from './runs.ts';
import { reportOf } from './sections.ts';

const HELP = `npm run load -- report [options]
  --full                 everything as long as in the reports: most of a day
  --only A,B             only these of the runs; of others the report has what lies there from before
  --results DIR          where each run's figures go (default: dist/load)
  --from DIR             run nothing: build the report of the figures there
  --html FILE            the page (default: report.html beside the figures)
  --markdown FILE        the summary (default: load/REPORT.md of everything; with --only or --results
                         REPORT.md beside the figures)`;

/** @returns whether all is well: no gate was missed, no run left no figures */
export async function reportCommand(args: string[], signal: AbortSignal): Promise<boolean> {
  const { values } = parseArgs({
    args,
    options: {
      help: { type: 'boolean', default: false },
      full: { type: 'boolean', default: false },
      only: { type: 'string' },
      results: { type: 'string' },
      from: { type: 'string' },
      html: { type: 'string' },
      markdown: { type: 'string' },
    },
  });
  if (values.help) {
    console.log(HELP);
    return true;
  }
  const folder = resolve(values.from ?? values.results ?? RESULTS);
  if (values.from === undefined) {
    await runAll(planOf(values.only), { folder, full: values.full, signal, say: (line) => console.log(line) });
  }
  const runs = await Runs.read(folder);
  const report = reportOf(runs);
  const page = resolve(values.html ?? join(folder, 'report.html'));
  // The one that is kept is not lost to a try.
  const isWhole = values.only === undefined && values.results === undefined;
  const summary = resolve(values.markdown ?? (isWhole ? join(ROOT, 'load/REPORT.md') : join(folder, 'REPORT.md')));
  for (const [path, text] of [
    [page, pageOf(report)],
    [summary, markdownOf(report)],
  ] as const) {
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, text);
    console.log(path);
  }
  const { missed, failed } = runs;
  if (missed.length > 0) {
    const names = [...new Set(missed.map(({ run }) => run))].join(', ');
    console.log(`Gates that were missed: ${missed.length}, of ${names}.`);
  }
  for (const { name } of failed) console.log(`${name} left no figures.`);
  return missed.length === 0 && failed.length === 0;
}

function planOf(only: string | undefined) {
  if (only === undefined) return PLAN;
  const names = only.split(',');
  const unknown = names.find((name) => !PLAN.some((planned) => planned.name === name));
  if (unknown !== undefined) throw new LoadError('usage', `A report has no run "${unknown}".`);
  return PLAN.filter(({ name }) => names.includes(name));
}

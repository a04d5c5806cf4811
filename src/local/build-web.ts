/** Builds the page into static files: `dist/web/index.html` and hashed scripts and styles beside it. */
import { copyFile, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { basename, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { build, type Metafile } from 'esbuild';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const SOURCE = join(ROOT, 'src/web');

/** JavaScript the page needs before it shows anything, gzipped. Checked by every build. */
export const MAX_INITIAL_JS_BYTES = 50_000;

export interface WebBuild {
  outDir: string;
  /** Every file written, with its gzipped size. `initial`: loaded before the first paint. */
  files: { path: string; gzipBytes: number; initial: boolean }[];
  initialJsBytes: number;
}

/** @throws Error when the page does not build, or needs more JavaScript than MAX_INITIAL_JS_BYTES */
export async function buildWeb(outDir = join(ROOT, 'dist/web')): Promise<WebBuild> {
  await mkdir(outDir, { recursive: true });
  const { metafile } = await build({
    entryPoints: { main: join(SOURCE, 'main.tsx'), styles: join(SOURCE, 'styles/index.css') },
    outdir: join(outDir, 'assets'),
    entryNames: '[name]-[hash]',
    chunkNames: '[name]-[hash]',
    bundle: true,
    splitting: true,
    format: 'esm',
    target: 'es2022',
    minify: true,
    metafile: true,
    jsx: 'automatic',
    jsxImportSource: 'preact',
    logLevel: 'warning',
    absWorkingDir: ROOT,
  });
  await removeStale(metafile, join(outDir, 'assets'));
  await writeFile(join(outDir, 'index.html'), await pageHtml(metafile, outDir));
  await copyFile(join(SOURCE, 'favicon.svg'), join(outDir, 'favicon.svg'));

  const result = await measure(metafile, outDir);
  if (result.initialJsBytes > MAX_INITIAL_JS_BYTES) {
    throw new Error(
      `The page needs ${result.initialJsBytes} bytes of JavaScript (gzipped) at first; at most ${MAX_INITIAL_JS_BYTES} are allowed.`,
    );
  }
  return result;
}

/** Files of earlier builds go after the new ones are there: a server that is running meanwhile misses nothing. */
async function removeStale(metafile: Metafile, assets: string): Promise<void> {
  const current = new Set(Object.keys(metafile.outputs).map((output) => basename(output)));
  const stale = (await readdir(assets)).filter((name) => !current.has(name));
  await Promise.all(stale.map((name) => rm(join(assets, name), { force: true })));
}

async function pageHtml(metafile: Metafile, outDir: string): Promise<string> {
  const template = await readFile(join(SOURCE, 'index.html'), 'utf8');
  const urlOf = (entry: string) => `/${relative(outDir, join(ROOT, outputOf(metafile, entry)))}`;
  return template.replace('%SCRIPT%', urlOf('src/web/main.tsx')).replace('%STYLES%', urlOf('src/web/styles/index.css'));
}

function outputOf(metafile: Metafile, entry: string): string {
  const found = Object.entries(metafile.outputs).find(([, { entryPoint }]) => entryPoint === entry);
  if (!found) throw new Error(`The build gave no file for ${entry}.`);
  return found[0];
}

async function measure(metafile: Metafile, outDir: string): Promise<WebBuild> {
  const initial = initialFiles(metafile, outputOf(metafile, 'src/web/main.tsx'));
  const files = await Promise.all(
    Object.keys(metafile.outputs).map(async (output) => ({
      path: relative(outDir, join(ROOT, output)),
      gzipBytes: gzipSync(await readFile(join(ROOT, output)), { level: 9 }).length,
      initial: initial.has(output) || output.endsWith('.css'),
    })),
  );
  const scripts = files.filter(({ path, initial: needed }) => needed && path.endsWith('.js'));
  const initialJsBytes = scripts.reduce((sum, { gzipBytes }) => sum + gzipBytes, 0);
  return { outDir, files, initialJsBytes };
}

/** The entry and everything that it imports statically: what `import()` brings comes later. */
function initialFiles(metafile: Metafile, entry: string): Set<string> {
  const files = new Set<string>();
  const pending = [entry];
  for (let file = pending.pop(); file !== undefined; file = pending.pop()) {
    if (files.has(file)) continue;
    files.add(file);
    for (const { path, kind } of metafile.outputs[file]?.imports ?? []) {
      if (kind === 'import-statement') pending.push(path);
    }
  }
  return files;
}

export function describeBuild({ files, initialJsBytes }: WebBuild): string {
  const kilobytes = (bytes: number) => `${(bytes / 1_000).toFixed(1)} KB`;
  const lines = files.map(
    ({ path, gzipBytes, initial }) => `  ${path}  ${kilobytes(gzipBytes)}${initial ? '' : ', later'}`,
  );
  return [`Page, gzipped:`, ...lines, `  JavaScript at first: ${kilobytes(initialJsBytes)}`].join('\n');
}

if (import.meta.main) console.log(describeBuild(await buildWeb()));

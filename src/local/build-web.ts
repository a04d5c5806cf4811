/**
 * Builds the chat page and the operator console into static files: `dist/web/index.html`,
 * `dist/web/operator.html` (served as `/operator`), and hashed scripts and styles beside them.
 */
import { copyFile, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { basename, join, relative } from 'node:path';
import { gzipSync } from 'node:zlib';
import { build, type Metafile } from 'esbuild';
import { ROOT } from './build-worker.ts';

const SOURCE = join(ROOT, 'src/web');

/** JavaScript the chat page needs before it shows anything, gzipped. Checked by every build. */
export const MAX_INITIAL_JS_BYTES = 50_000;

interface PageSource {
  /** The file in `dist/web`. */
  html: string;
  /** What files are called in `dist/web/assets`, before their hashes. */
  name: string;
  stylesName: string;
  /** In `src/web`. */
  template: string;
  script: string;
  styles: string;
}

const CHAT: PageSource = {
  html: 'index.html',
  name: 'main',
  stylesName: 'styles',
  template: 'index.html',
  script: 'main.tsx',
  styles: 'styles/index.css',
};
const CONSOLE: PageSource = {
  html: 'operator.html',
  name: 'operator',
  stylesName: 'operator-styles',
  template: 'operator/index.html',
  script: 'operator/main.tsx',
  styles: 'operator/styles/index.css',
};

export interface WebBuild {
  outDir: string;
  /** Every file written, with its gzipped size. `initial`: loaded before the chat page's first paint. */
  files: { path: string; gzipBytes: number; initial: boolean }[];
  initialJsBytes: number;
}

/** @throws Error when a page does not build, or the chat page needs more JavaScript than MAX_INITIAL_JS_BYTES */
export async function buildWeb(outDir = join(ROOT, 'dist/web')): Promise<WebBuild> {
  await mkdir(outDir, { recursive: true });
  // Not one build: what both pages share would be cut into more files, and the chat page grow by it.
  const [chat, console] = await Promise.all([bundle(CHAT, outDir), bundle(CONSOLE, outDir)]);
  const outputs = { ...chat.outputs, ...console.outputs };
  await removeStale(Object.keys(outputs), join(outDir, 'assets'));
  await writeFile(join(outDir, CHAT.html), await pageHtml(chat, outDir, CHAT));
  await writeFile(join(outDir, CONSOLE.html), await pageHtml(console, outDir, CONSOLE));
  await copyFile(join(SOURCE, 'favicon.svg'), join(outDir, 'favicon.svg'));

  const result = await measure(chat, Object.keys(outputs), outDir);
  if (result.initialJsBytes > MAX_INITIAL_JS_BYTES) {
    throw new Error(
      `The page needs ${result.initialJsBytes} bytes of JavaScript (gzipped) at first; at most ${MAX_INITIAL_JS_BYTES} are allowed.`,
    );
  }
  return result;
}

async function bundle(page: PageSource, outDir: string): Promise<Metafile> {
  const { metafile } = await build({
    entryPoints: { [page.name]: join(SOURCE, page.script), [page.stylesName]: join(SOURCE, page.styles) },
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
  return metafile;
}

/** Files of earlier builds go after the new ones are there: a server that is running meanwhile misses nothing. */
async function removeStale(outputs: readonly string[], assets: string): Promise<void> {
  const current = new Set(outputs.map((output) => basename(output)));
  const stale = (await readdir(assets)).filter((name) => !current.has(name));
  await Promise.all(stale.map((name) => rm(join(assets, name), { force: true })));
}

async function pageHtml(metafile: Metafile, outDir: string, page: PageSource): Promise<string> {
  const template = await readFile(join(SOURCE, page.template), 'utf8');
  const urlOf = (entry: string) => `/${relative(outDir, join(ROOT, outputOf(metafile, `src/web/${entry}`)))}`;
  return template.replace('%SCRIPT%', urlOf(page.script)).replace('%STYLES%', urlOf(page.styles));
}

function outputOf(metafile: Metafile, entry: string): string {
  const found = Object.entries(metafile.outputs).find(([, { entryPoint }]) => entryPoint === entry);
  if (!found) throw new Error(`The build gave no file for ${entry}.`);
  return found[0];
}

async function measure(chat: Metafile, outputs: readonly string[], outDir: string): Promise<WebBuild> {
  const initial = initialFiles(chat, outputOf(chat, `src/web/${CHAT.script}`));
  initial.add(outputOf(chat, `src/web/${CHAT.styles}`));
  const files = await Promise.all(
    outputs.map(async (output) => ({
      path: relative(outDir, join(ROOT, output)),
      gzipBytes: gzipSync(await readFile(join(ROOT, output)), { level: 9 }).length,
      initial: initial.has(output),
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

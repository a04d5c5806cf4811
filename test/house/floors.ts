/** The floors of the house: which folder may import from which, held against the imports themselves. */
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, normalize, relative } from 'node:path';

/**
 * What each folder of `src/` may import besides itself and packages. `*` is everything; a path with
 * an extension is that one file. src/README.md draws the same table.
 */
export const FLOORS: Readonly<Record<string, readonly string[]>> = {
  protocol: [],
  session: ['protocol'],
  log: ['protocol'],
  client: ['protocol'],
  responders: ['protocol'],
  history: ['protocol'],
  metrics: ['protocol'],
  auth: ['protocol', 'env.ts'],
  bots: ['protocol', 'responders', 'history', 'env.ts'],
  objects: ['protocol', 'session', 'log', 'responders', 'history', 'bots', 'auth', 'metrics', 'env.ts'],
  // Of the objects only their interface; what they are inside is no business of HTTP.
  server: [
    'protocol',
    'responders',
    'history',
    'bots',
    'auth',
    'metrics',
    'env.ts',
    'objects/session-rpc.ts',
    'objects/bot-rpc.ts',
  ],
  // The console checks definitions and reads measurements as the server does. Types alone come from the objects.
  web: [
    'protocol',
    'client',
    'bots/spec.ts',
    'metrics/alert-rules.ts',
    'metrics/bot-stats.ts',
    'metrics/histogram.ts',
    'objects/bot-rpc.ts',
  ],
  local: ['*'],
  'env.ts': ['env-values.ts', 'objects/session-rpc.ts', 'objects/bot-rpc.ts', 'objects/history-rpc.ts', 'bots/spec.ts'],
  'env-values.ts': ['bots/spec.ts'],
  'worker.ts': ['*'],
};

/** Packages that only some folders may use, so that the wire and the core stay free of them. */
export const PACKAGES: Readonly<Record<string, readonly string[]>> = {
  protocol: ['zod'],
  session: ['zod'],
  log: ['zod', 'node:crypto'],
  client: ['zod'],
  web: ['preact', '@preact/signals', 'marked', 'uplot', 'zod'],
};

export interface Import {
  /** Paths relative to `src/`. */
  from: string;
  /** A path relative to `src/` (for relative imports), or a package. */
  to: string;
}

/** Every import and re-export under `src`, static or dynamic. */
export function importsOf(src: string): Import[] {
  const files = readdirSync(src, { recursive: true, encoding: 'utf8' }).filter((path) => /\.tsx?$/.test(path));
  return files.flatMap((file) => {
    const text = readFileSync(join(src, file), 'utf8');
    return specifiersOf(text).map((specifier) => ({
      from: file,
      to: specifier.startsWith('.') ? relative(src, normalize(join(src, dirname(file), specifier))) : specifier,
    }));
  });
}

function specifiersOf(text: string): string[] {
  const patterns = [
    /(?:^|\n)\s*(?:import|export)\s[^'"]*?from\s*['"]([^'"]+)['"]/g,
    /\bimport\s*\(\s*['"]([^'"]+)['"]/g,
    /(?:^|\n)\s*import\s*['"]([^'"]+)['"]/g,
  ];
  return patterns.flatMap((pattern) => [...text.matchAll(pattern)].map((match) => match[1] ?? ''));
}

/** One line for each import that the floors forbid. */
export function violations(imports: readonly Import[]): string[] {
  return imports.filter((entry) => !isAllowed(entry)).map(({ from, to }) => `${from} imports ${to}`);
}

function isAllowed({ from, to }: Import): boolean {
  const folder = placeOf(from);
  const isPackage = !/\.(tsx?|css|svg|html)$/.test(to) || to.startsWith('@');
  if (isPackage) {
    const packages = PACKAGES[folder];
    return !packages || packages.some((name) => to === name || to.startsWith(`${name}/`));
  }
  const floors = FLOORS[folder];
  if (!floors) return false;
  return placeOf(to) === folder || floors.includes('*') || floors.includes(placeOf(to)) || floors.includes(to);
}

/** The folder of `src/`, or the file where it lies in `src/` itself. */
function placeOf(path: string): string {
  return path.split('/')[0] ?? path;
}

/**
 * A strict reader of Prometheus' text format 0.0.4, made from the format's description and not from
 * our writer: what it does not know, it throws at.
 */
export interface ParsedSample {
  name: string;
  labels: Record<string, string>;
  value: number;
}

export interface ParsedFamily {
  type: string;
  help: string;
  samples: ParsedSample[];
}

const NAME = /^[a-zA-Z_:][a-zA-Z0-9_:]*$/;
const LABEL_NAME = /^[a-zA-Z_][a-zA-Z0-9_]*$/;
const TYPES = new Set(['counter', 'gauge', 'histogram', 'summary', 'untyped']);
const SUFFIXES: Readonly<Record<string, readonly string[]>> = { histogram: ['_bucket', '_sum', '_count'] };

export function parseExposition(text: string): Map<string, ParsedFamily> {
  if (!text.endsWith('\n')) throw new Error('the last line has no end');
  const families = new Map<string, ParsedFamily>();
  const helps = new Map<string, string>();
  let current: { name: string; family: ParsedFamily } | null = null;
  const seen = new Set<string>();
  for (const line of text.slice(0, -1).split('\n')) {
    if (line.startsWith('# HELP ')) {
      const [, name = '', help = ''] = /^# HELP (\S+) (.*)$/.exec(line) ?? fail(line);
      if (helps.has(name)) throw new Error(`HELP twice: ${name}`);
      helps.set(name, help);
    } else if (line.startsWith('# TYPE ')) {
      const [, name = '', type = ''] = /^# TYPE (\S+) (\S+)$/.exec(line) ?? fail(line);
      if (!NAME.test(name) || !TYPES.has(type)) fail(line);
      if (families.has(name)) throw new Error(`the samples of ${name} are not together`);
      const help = helps.get(name);
      if (help === undefined) throw new Error(`no HELP: ${name}`);
      current = { name, family: { type, help, samples: [] } };
      families.set(name, current.family);
    } else {
      const sample = parseSample(line);
      if (!current) throw new Error(`a sample before any TYPE: ${line}`);
      const allowed = (SUFFIXES[current.family.type] ?? ['']).map((suffix) => `${current?.name}${suffix}`);
      if (!allowed.includes(sample.name)) throw new Error(`${sample.name} stands under ${current.name}`);
      const key = JSON.stringify([
        sample.name,
        Object.entries(sample.labels)
          .map(String)
          .toSorted((a, b) => (a < b ? -1 : 1)),
      ]);
      if (seen.has(key)) throw new Error(`twice: ${line}`);
      seen.add(key);
      current.family.samples.push(sample);
    }
  }
  return families;
}

function parseSample(line: string): ParsedSample {
  const [, name = '', , rest = ''] = /^([^{\s]+)(\{)?(.*)$/.exec(line) ?? fail(line);
  if (!NAME.test(name)) fail(line);
  const labels: Record<string, string> = {};
  let at = name.length;
  if (line[at] === '{') {
    at += 1;
    while (line[at] !== '}') {
      const equals = line.indexOf('=', at);
      const label = line.slice(at, equals);
      if (equals === -1 || !LABEL_NAME.test(label) || label in labels || line[equals + 1] !== '"') fail(line);
      let value = '';
      at = equals + 2;
      while (line[at] !== '"') {
        if (at >= line.length) fail(line);
        if (line[at] === '\\') {
          const escaped = { '\\': '\\', '"': '"', n: '\n' }[line[at + 1] ?? ''];
          if (escaped === undefined) fail(line);
          value += escaped;
          at += 2;
        } else {
          value += line[at];
          at += 1;
        }
      }
      labels[label] = value;
      at += 1;
      if (line[at] === ',') at += 1;
      else if (line[at] !== '}') fail(line);
    }
    at += 1;
  } else if (rest === '') fail(line);
  const [, number = ''] = /^ (\S+)$/.exec(line.slice(at)) ?? fail(line);
  return { name, labels, value: parseNumber(number, line) };
}

function parseNumber(text: string, line: string): number {
  if (text === '+Inf') return Number.POSITIVE_INFINITY;
  if (!/^-?\d+(\.\d+)?(e[+-]?\d+)?$/.test(text)) fail(line);
  return Number(text);
}

function fail(line: string): never {
  throw new Error(`not a line of the format: ${JSON.stringify(line)}`);
}

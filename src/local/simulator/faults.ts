/**
 * What a model server can do wrong, each under a short name: `name[@tokens][:argument]`.
 *
 * `@N` counts tokens already sent, thinking included; past the end of the answer it means
 * "right before the done line". The README's table is held against FAULT_HELP by a test.
 */

const MAX_FAULT_MS = 3_600_000;
const MAX_HUGE_BYTES = 64 * 1024 * 1024;
const DEFAULT_HUGE_BYTES = 10 * 1024 * 1024;
const DEFAULT_GAP_MS = 200;
const MAX_AT = 1_000_000;

export type Fault =
  // Instead of an answer.
  | { readonly name: 'status'; readonly status: number; readonly message: string | null }
  | { readonly name: 'redirect'; readonly location: string }
  | { readonly name: 'html' }
  | { readonly name: 'empty' }
  // Silence. Infinity is a real value here: for ever.
  | { readonly name: 'no-headers'; readonly ms: number }
  | { readonly name: 'stall'; readonly at: number; readonly ms: number }
  | { readonly name: 'gap'; readonly every: number; readonly ms: number }
  // The end comes too early.
  | { readonly name: 'cut'; readonly at: number }
  | { readonly name: 'cut-line'; readonly at: number }
  | { readonly name: 'reset'; readonly at: number }
  | { readonly name: 'error'; readonly at: number; readonly message: string }
  | { readonly name: 'error-event'; readonly at: number; readonly message: string }
  // Odd lines.
  | { readonly name: 'garbage'; readonly at: number }
  | { readonly name: 'blank'; readonly at: number }
  | { readonly name: 'huge'; readonly at: number; readonly bytes: number }
  | { readonly name: 'two-done' }
  | { readonly name: 'no-newline' }
  | { readonly name: 'crlf' }
  // The same bytes, cut elsewhere or labelled otherwise.
  | { readonly name: 'split-bytes' }
  | { readonly name: 'split-lines' }
  | { readonly name: 'split-utf8' }
  | { readonly name: 'content-type'; readonly type: string };

type FaultName = Fault['name'];

/** Faults that happen at a place in the stream, in the order of that place. */
export type PlacedFault = Extract<Fault, { readonly at: number }>;

export function isPlaced(fault: Fault): fault is PlacedFault {
  return 'at' in fault;
}

export const FAULT_HELP: Readonly<Record<FaultName, { syntax: string; does: string }>> = {
  status: { syntax: 'status:CODE[:TEXT]', does: "HTTP error with Ollama's body before any byte" },
  redirect: { syntax: 'redirect[:URL]', does: '307 to URL (default /simulator/elsewhere)' },
  html: { syntax: 'html', does: "200 with an HTML page, as a proxy's login would" },
  empty: { syntax: 'empty', does: '200, right content type, no body' },
  'no-headers': { syntax: 'no-headers[:MS]', does: 'not even headers, for MS or for ever' },
  stall: { syntax: 'stall[@N][:MS]', does: 'headers and N tokens, then silence, MS or for ever' },
  gap: { syntax: 'gap[@N][:MS]', does: 'a pause of MS (200) after every N (1) tokens' },
  cut: { syntax: 'cut[@N]', does: 'clean end of body after N tokens (or all) without done' },
  'cut-line': { syntax: 'cut-line[@N]', does: 'clean end of body in the middle of a line' },
  reset: { syntax: 'reset[@N]', does: 'TCP reset after N (1) tokens' },
  error: { syntax: 'error[@N][:TEXT]', does: "Ollama's error line after N (1) tokens" },
  'error-event': { syntax: 'error-event[@N][:TEXT]', does: 'on /v1 `{error:{...}}` as vLLM does' },
  garbage: { syntax: 'garbage[@N]', does: 'a line that is not JSON after N (1) tokens, then on' },
  blank: { syntax: 'blank[@N]', does: 'an empty line (on /v1 an SSE comment), then on' },
  huge: { syntax: 'huge[@N][:BYTES]', does: 'one token of BYTES (10 MiB) after N (0) tokens' },
  'two-done': { syntax: 'two-done', does: 'the done line twice' },
  'no-newline': { syntax: 'no-newline', does: 'the last line has no newline' },
  crlf: { syntax: 'crlf', does: 'lines end in CRLF' },
  'split-bytes': { syntax: 'split-bytes', does: 'every byte is a write of its own' },
  'split-lines': { syntax: 'split-lines', does: 'every line is written in two halves' },
  'split-utf8': { syntax: 'split-utf8', does: 'every non-ASCII character is cut inside' },
  'content-type': { syntax: 'content-type[:TYPE]', does: 'right body as TYPE (text/plain)' },
};

export class FaultSyntaxError extends Error {
  readonly code = 'fault_syntax';
}

const FAULT_PATTERN = /^(?<name>[a-z0-9-]+)(?:@(?<at>\d+))?(?::(?<argument>.*))?$/s;

/** Reads `name[@N][:argument]`; throws FaultSyntaxError that says what was expected. */
export function parseFault(text: string): Fault {
  const groups = FAULT_PATTERN.exec(text.trim())?.groups;
  const name = groups?.['name'] ?? '';
  if (!isFaultName(name)) {
    const names = Object.keys(FAULT_HELP).join(', ');
    throw new FaultSyntaxError(`unknown fault '${text}', known are: ${names}`);
  }
  const at = groups?.['at'] === undefined ? null : Number(groups['at']);
  if (at !== null && at > MAX_AT) throw new FaultSyntaxError(`fault '${text}': @${at} is too far`);
  const fault = build(name, at, groups?.['argument'] ?? null);
  if (fault === null) {
    throw new FaultSyntaxError(`fault '${text}' must be written ${FAULT_HELP[name].syntax}`);
  }
  return fault;
}

function isFaultName(name: string): name is FaultName {
  return Object.hasOwn(FAULT_HELP, name);
}

function build(name: FaultName, at: number | null, argument: string | null): Fault | null {
  switch (name) {
    case 'status': {
      const [code = '', ...text] = (argument ?? '').split(':');
      const status = wholeNumber(code, 599);
      if (status === null || status < 400 || at !== null) return null;
      return { name, status, message: text.length > 0 ? text.join(':') : null };
    }
    case 'redirect':
      return at === null ? { name, location: argument ?? '/simulator/elsewhere' } : null;
    case 'content-type':
      return at === null ? { name, type: argument ?? 'text/plain' } : null;
    case 'no-headers': {
      const ms = milliseconds(argument, Infinity);
      return ms === null || at !== null ? null : { name, ms };
    }
    case 'stall': {
      const ms = milliseconds(argument, Infinity);
      return ms === null ? null : { name, at: at ?? 0, ms };
    }
    case 'gap': {
      const ms = milliseconds(argument, DEFAULT_GAP_MS);
      return ms === null ? null : { name, every: Math.max(1, at ?? 1), ms };
    }
    case 'huge': {
      const bytes = argument === null ? DEFAULT_HUGE_BYTES : wholeNumber(argument, MAX_HUGE_BYTES);
      return bytes === null ? null : { name, at: at ?? 0, bytes };
    }
    case 'error':
    case 'error-event':
      return { name, at: at ?? 1, message: argument ?? 'simulated failure of the model runner' };
    case 'cut':
      return argument === null ? { name, at: at ?? Infinity } : null;
    case 'cut-line':
    case 'reset':
    case 'garbage':
    case 'blank':
      return argument === null ? { name, at: at ?? 1 } : null;
    case 'html':
    case 'empty':
    case 'two-done':
    case 'no-newline':
    case 'crlf':
    case 'split-bytes':
    case 'split-lines':
    case 'split-utf8':
      return at === null && argument === null ? { name } : null;
  }
}

function milliseconds(argument: string | null, fallback: number): number | null {
  return argument === null ? fallback : wholeNumber(argument, MAX_FAULT_MS);
}

function wholeNumber(text: string, max: number): number | null {
  if (!/^\d{1,9}$/.test(text)) return null;
  const value = Number(text);
  return value <= max ? value : null;
}

/** What was measured of the page as figures and gates, beside what the reports say. */
import type { Latencies } from '../histogram.ts';
import { BYTES_PER_MB } from '../processes.ts';
import { atLeast, atMost, type Figure, type Gate } from '../scenario.ts';
import type { MemoryFigures, PageFigures, RenderPlan, ShownFigures } from './measure.ts';

const CLAIMS = { shownMs: 67, framesPerSecond: 59.8, messagesMb: 13, reconnectsMb: 2 };
/** A second may lose a frame and still be smooth. */
const MIN_FRAMES_PER_SECOND = 59;
/** From a key to its letter: what is longer is felt. */
const MAX_KEY_MS = 50;
const PERCENTS = [50, 95, 99];

export interface Rendered {
  short: PageFigures;
  long: PageFigures;
  /** Until all of its messages were in the document. */
  longLoadedMs: number;
  shown: ShownFigures;
  memory: MemoryFigures;
}

const SHOWN = 'from a frame to the screen';
const PAGES = 'a page with many messages';
const MEMORY = 'memory of the page, after garbage collection';

export function renderFigures({ short, long, longLoadedMs, shown, memory }: Rendered): Figure[] {
  return [
    ...shownFigures(shown),
    figure(SHOWN, 'reports', 'message p95', 'ms', CLAIMS.shownMs),
    figure(SHOWN, 'reports', 'reply p95', 'ms', CLAIMS.shownMs),
    ...pageFigures(short),
    ...pageFigures(long),
    figure(PAGES, subjectOf(long), 'loading all of them', 'ms', longLoadedMs),
    figure(PAGES, 'reports', 'frames/s while scrolling', '', CLAIMS.framesPerSecond),
    ...memoryFigures(memory),
  ];
}

export function renderGates({ short, long, shown, memory }: Rendered, plan: RenderPlan): Gate[] {
  const grown = growthOf(memory);
  return [
    ...(['message', 'delta', 'reply'] as const).map((kind) =>
      atMost(`${kind} from frame to screen p95, ms`, shown[kind].percentile(95), CLAIMS.shownMs),
    ),
    atLeast('messages seen on the screen', shown.message.count, plan.shownMessages),
    atLeast('replies seen on the screen', shown.reply.count, plan.shownMessages),
    ...[short, long].flatMap((page) => [
      atLeast(`${page.messages} messages: frames/s while scrolling`, framesPerSecond(page), MIN_FRAMES_PER_SECOND),
      atMost(`${page.messages} messages: key to screen p95, ms`, page.keys.percentile(95), MAX_KEY_MS),
      atLeast(`${page.messages} messages: keys seen on the screen`, page.keys.count, plan.keys),
      atLeast(`${page.messages} messages: an answer streamed all the while`, page.stillStreaming ? 1 : 0, 1),
    ]),
    // What a page can ask of its browser, and the reports most likely did; the rest is shown beside it.
    atMost(`memory of ${memory.messages} messages, MB of scripts`, grown.messages.script, CLAIMS.messagesMb),
    atMost(
      `memory of ${memory.reconnects} reconnects, MB with the document`,
      grown.reconnects.all,
      CLAIMS.reconnectsMb,
    ),
  ];
}

function figure(group: string, subject: string, name: string, unit: string, value: number | null): Figure {
  return { group, subject, name, unit, value };
}

function percentiles(group: string, subject: string, name: string, latencies: Latencies): Figure[] {
  return PERCENTS.map((percent) => figure(group, subject, `${name} p${percent}`, 'ms', latencies.percentile(percent)));
}

function shownFigures({ message, delta, reply, open }: ShownFigures): Figure[] {
  const counted = (name: string, value: number): Figure => figure(SHOWN, 'measured', name, '', value);
  return [
    ...percentiles(SHOWN, 'measured', 'message', message),
    ...percentiles(SHOWN, 'measured', 'piece of an answer', delta),
    ...percentiles(SHOWN, 'measured', 'reply', reply),
    counted('messages', message.count),
    counted('pieces', delta.count),
    counted('replies', reply.count),
    counted('frames not seen on the screen', open),
  ];
}

function subjectOf({ messages }: PageFigures): string {
  return `${messages} messages`;
}

function framesPerSecond({ scrolled: { frames, ms } }: PageFigures): number {
  return frames / (ms / 1_000);
}

function pageFigures(page: PageFigures): Figure[] {
  const subject = subjectOf(page);
  return [
    figure(PAGES, subject, 'opened in', 'ms', page.openedMs),
    figure(PAGES, subject, 'frames/s while scrolling', '', framesPerSecond(page)),
    figure(PAGES, subject, 'longest frame', 'ms', page.scrolled.longestMs),
    ...percentiles(PAGES, subject, 'key to screen while 200 tokens/s stream', page.keys),
    ...percentiles(PAGES, subject, 'piece of that answer to screen', page.streamed),
    figure(PAGES, subject, 'keys', '', page.keys.count),
  ];
}

interface Growth {
  script: number;
  all: number;
}

function growthOf({ before, afterMessages, afterReconnects }: MemoryFigures): { messages: Growth; reconnects: Growth } {
  const growth = (from: MemoryFigures['before'], to: MemoryFigures['before']): Growth => ({
    script: (to.scriptBytes - from.scriptBytes) / BYTES_PER_MB,
    all: (to.allBytes - from.allBytes) / BYTES_PER_MB,
  });
  return { messages: growth(before, afterMessages), reconnects: growth(afterMessages, afterReconnects) };
}

function memoryFigures(memory: MemoryFigures): Figure[] {
  const { messages, reconnects } = growthOf(memory);
  const { before } = memory;
  const of = (subject: string, name: string, value: number): Figure => figure(MEMORY, subject, name, 'MB', value);
  const more = { messages: `${memory.messages} messages`, reconnects: `${memory.reconnects} reconnects` };
  return [
    of('scripts', 'before', before.scriptBytes / BYTES_PER_MB),
    of('with the document', 'before', before.allBytes / BYTES_PER_MB),
    of('scripts', more.messages, messages.script),
    of('with the document', more.messages, messages.all),
    of('scripts', more.reconnects, reconnects.script),
    of('with the document', more.reconnects, reconnects.all),
    of('reports', more.messages, CLAIMS.messagesMb),
    of('reports', more.reconnects, CLAIMS.reconnectsMb),
  ];
}

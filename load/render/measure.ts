/** What is measured of the page, each with a page of its own where that matters. */
import { setTimeout as sleep } from 'node:timers/promises';
import { Latencies } from '../histogram.ts';
import type { Lab } from '../lab/lab.ts';
import { LoadError } from '../scenario.ts';
import type { Person } from './person.ts';
import type { Scrolled, Shown } from './probe.ts';
import type { Reader, View } from './view.ts';

/** As a person turns a wheel quickly: about three screens a second. */
const SCROLL_PIXELS = 40;
const KEY_EVERY_MS = 60;
/** Tokens of the answer that streams while keys are pressed: 200 a second, for longer than they are. */
const STREAM_TOKEN_MS = 5;
const STREAM_SPARE_SECONDS = 40;
/** So much text that what is drawn anew with every token shows. */
const STREAM_BEFORE_MS = 1_000;
const SETTLE_MS = 500;
const RECONNECT_SETTLE_MS = 100;

export interface RenderPlan {
  shortMessages: number;
  longMessages: number;
  /** Sent and answered while it is noted when they are on the screen. */
  shownMessages: number;
  scrollMs: number;
  keys: number;
  /** Those that memory is looked at over. */
  memoryMessages: number;
  reconnects: number;
  loadAllMs: number;
}

/** Of one page with a conversation. */
export interface PageFigures {
  messages: number;
  openedMs: number;
  scrolled: Scrolled;
  /** From a key to its letter on the screen, while an answer streams. */
  keys: Latencies;
  /** Pieces of that answer, from frame to screen. */
  streamed: Latencies;
  stillStreaming: boolean;
}

export interface ShownFigures {
  message: Latencies;
  delta: Latencies;
  reply: Latencies;
  /** Frames that were never seen on the screen. */
  open: number;
}

export interface MemoryFigures {
  messages: number;
  reconnects: number;
  /** In bytes: of scripts, and with the document's. */
  before: { scriptBytes: number; allBytes: number };
  afterMessages: { scriptBytes: number; allBytes: number };
  afterReconnects: { scriptBytes: number; allBytes: number };
}

/** Messages that come from elsewhere, and their answers, from the frame to the screen. */
export async function measureShown(view: View, person: Person, session: string, count: number): Promise<ShownFigures> {
  await view.arm();
  const before = await view.messages();
  for (let message = 0; message < count; message += 1) await person.say(session);
  await view.untilShown(before + count * 2);
  await sleep(SETTLE_MS);
  const { shown, open } = await view.take();
  return { message: of(shown, 'message'), delta: of(shown, 'delta'), reply: of(shown, 'reply'), open };
}

/** Scrolling, and typing while an answer streams. */
export async function measurePage(view: View, plan: RenderPlan): Promise<PageFigures> {
  const messages = await view.messages();
  const scrolled = await view.scroll(plan.scrollMs, SCROLL_PIXELS);
  await view.arm();
  const seconds = (plan.keys * KEY_EVERY_MS) / 1_000 + STREAM_SPARE_SECONDS;
  const tokens = Math.round((seconds * 1_000) / STREAM_TOKEN_MS);
  await view.send(`Go on and on [[sim tokens=${tokens} tokenMs=${STREAM_TOKEN_MS}]]`);
  await sleep(STREAM_BEFORE_MS);
  await view.take();
  await view.type('the quick brown fox jumps over the lazy dog '.repeat(plan.keys).slice(0, plan.keys), KEY_EVERY_MS);
  const stillStreaming = await view.isAnswering();
  await sleep(SETTLE_MS);
  const { shown } = await view.take();
  await view.stopAnswer();
  return {
    messages,
    openedMs: view.openedMs,
    scrolled,
    keys: of(shown, 'key'),
    streamed: of(shown, 'delta'),
    stillStreaming,
  };
}

/** A page of its own, over messages and over lost connections. */
export async function measureMemory(
  lab: Lab,
  reader: Reader,
  person: Person,
  { memoryMessages, reconnects }: RenderPlan,
): Promise<MemoryFigures> {
  const session = await person.newSession('Memory');
  // The first answer brings what the page loads later: it would be counted for the messages.
  await person.fill(session, 2);
  const view = await reader.open(session, 2);
  await person.fill(session, 2);
  await view.untilShown(4);
  await sleep(SETTLE_MS);
  const before = await view.heap();
  lab.progress(`${memoryMessages} messages come`);
  await person.fill(session, memoryMessages);
  await view.untilShown(memoryMessages);
  await sleep(SETTLE_MS);
  const messages = (await view.messages()) - 4;
  const afterMessages = await view.heap();
  for (let count = 0; count < reconnects; count += 1) {
    lab.progress(`${count} of ${reconnects} connections lost`);
    await view.reconnect();
    await sleep(RECONNECT_SETTLE_MS);
  }
  await sleep(SETTLE_MS);
  const afterReconnects = await view.heap();
  await view.close();
  return { messages, reconnects, before, afterMessages, afterReconnects };
}

/** @throws LoadError when the page does not show them all in time */
export async function showAll(view: View, messages: number, limitMs: number): Promise<number> {
  const loaded = await view.loadAll(limitMs);
  if (loaded.messages >= messages) return loaded.ms;
  const seconds = Math.round(loaded.ms / 1_000);
  throw new LoadError('not_finished', `After ${seconds} s the page shows ${loaded.messages} of ${messages} messages.`);
}

function of(shown: readonly Shown[], wanted: string): Latencies {
  return Latencies.of(shown.filter(({ kind }) => kind === wanted).map(({ ms }) => ms));
}

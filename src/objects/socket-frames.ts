/** Client frames, from text to what they make a session do. Every refusal goes back to the tab that caused it. */
import { decodeClientFrame, encodeServerFrame } from '../protocol/codec.ts';
import type { ClientFrame, ClientFrameOf } from '../protocol/client-frames.ts';
import { CLOSE } from '../protocol/codes.ts';
import {
  CREDIT_WINDOW_BYTES,
  FIRST_PAGE_EVENTS,
  FRAMES_PER_SECOND,
  MAX_BAD_FRAMES,
  MAX_FRAME_BYTES,
  MAX_QUEUE_LENGTH,
  MAX_REPLAY_EVENTS,
  MAX_TEXT_BYTES,
  MESSAGES_PER_SECOND,
  PROTOCOL_VERSION,
} from '../protocol/limits.ts';
import type { ServerFrame, WireError } from '../protocol/server-frames.ts';
import type { SessionState } from '../session/state.ts';
import type { SessionRuntime } from './session-runtime.ts';
import type { Tab, TabSocket } from './tab.ts';

const LIMITS = {
  maxTextBytes: MAX_TEXT_BYTES,
  maxFrameBytes: MAX_FRAME_BYTES,
  maxQueue: MAX_QUEUE_LENGTH,
  creditWindowBytes: CREDIT_WINDOW_BYTES,
};

/** One frame from one tab. */
export function receive<S extends TabSocket>(runtime: SessionRuntime<S>, tab: Tab, data: string | ArrayBuffer): void {
  const now = runtime.now();
  tab.heardAt = now;
  if (!tab.isAuthorised(runtime.owner, now)) return tab.endUnauthorised();
  const decoded = decodeClientFrame(data);
  if (!decoded.ok) {
    refuse(tab, decoded.error);
    tab.badFrames += 1;
    if (tab.badFrames >= MAX_BAD_FRAMES) tab.close(CLOSE.badFrames, 'Too many unreadable frames.');
    return;
  }
  const { frame } = decoded;
  // Credit is never refused: what a client has returned it does not return again, and would wait for ever.
  if (frame.type !== 'credit' && !tab.mayAct(now)) {
    const message = `At most ${FRAMES_PER_SECOND} frames a second.`;
    return refuse(tab, { code: 'rate_limited', message, retryable: true, retryAfterMs: 1_000, ...idOf(frame) });
  }
  if (frame.type === 'ping') return send(tab, { type: 'pong' });
  if (frame.type === 'hello') {
    // A second one would have the log sent again and again to who need not even read it.
    if (tab.seq === null) return hello(runtime, tab, frame);
    return refuse(tab, { code: 'bad_frame', message: 'This socket has said hello already.', retryable: false });
  }
  if (tab.seq === null) {
    return refuse(tab, { code: 'hello_required', message: 'The first frame is "hello".', retryable: false });
  }
  const error = perform(runtime, tab, frame);
  if (error) refuse(tab, error);
}

function perform<S extends TabSocket>(
  runtime: SessionRuntime<S>,
  tab: Tab,
  frame: Exclude<ClientFrame, { type: 'hello' | 'ping' }>,
): WireError | null {
  switch (frame.type) {
    case 'send': {
      const { id, text, priority = 0 } = frame;
      return sendMessage(runtime, { id, text, priority }, tab);
    }
    case 'stop':
      return runtime.dispatch({ ...frame, partial: runtime.partial(frame.turn) });
    case 'edit':
    case 'cancel':
    case 'regenerate':
      // Each is a record for good, or one more question to the model.
      return beyondBound(runtime, runtime.now(), idOf(frame)) ?? runtime.dispatch(frame);
    case 'credit':
      tab.credit(frame.bytes);
      runtime.tabs.pump(tab);
      return null;
    case 'typing':
      runtime.tabs.broadcast({ type: 'presence', tabs: runtime.tabs.size, typing: true }, tab);
      return null;
  }
}

/** Accepts a message, from a tab or from a request, within what the session takes. Returns why it was refused, or null. */
export function sendMessage<S extends TabSocket>(
  runtime: SessionRuntime<S>,
  message: { id: string; text: string; priority: number },
  from?: Tab,
): WireError | null {
  const now = runtime.now();
  const error = beyondBound(runtime, now, { id: message.id });
  if (error) return error;
  // What follows is shown to every tab: to none whose proof has ended meanwhile.
  runtime.tabs.closeUnauthorised(runtime.owner, now);
  return runtime.send(message, from);
}

/** Why the session takes no more just now, or null; then one more is counted. `about`: the message that it is about. */
function beyondBound<S extends TabSocket>(
  runtime: SessionRuntime<S>,
  now: number,
  about: { id?: string },
): WireError | null {
  if (runtime.tabs.messages.take(now)) return null;
  const message = `A session takes ${MESSAGES_PER_SECOND} messages and changes a second.`;
  return { code: 'rate_limited', message, retryable: true, retryAfterMs: 1_000, ...about };
}

/** Greets a tab and puts it where it said it was; what it lacks follows. */
function hello<S extends TabSocket>(runtime: SessionRuntime<S>, tab: Tab, frame: ClientFrameOf<'hello'>): void {
  if (frame.protocol !== PROTOCOL_VERSION) {
    const message = `This server speaks protocol ${PROTOCOL_VERSION}. Reload to get a client that does too.`;
    refuse(tab, { code: 'protocol_version', message, retryable: false });
    return tab.close(CLOSE.protocolVersion, 'Another protocol version.');
  }
  const { state } = runtime;
  const from = startingPoint(state, frame.seq);
  tab.seq = from;
  runtime.sweep();
  tab.follow(frame.turn ?? 0, frame.attempt ?? 0, ...offsetsWithin(runtime, frame));
  tab.save();
  const { id: session } = runtime.summary();
  const { seq, bot, title, archived } = state;
  const about = { session, epoch: runtime.epoch, seq, from, reset: from !== frame.seq, bot, title, archived };
  const now = { tabs: runtime.tabs.size, queue: runtime.queue(), limits: LIMITS };
  send(tab, { type: 'welcome', protocol: PROTOCOL_VERSION, ...about, ...now });
  runtime.tabs.pump(tab);
  runtime.tabs.broadcast({ type: 'presence', tabs: runtime.tabs.size }, tab);
}

/** The last record that the tab need not be sent. */
function startingPoint(state: SessionState, known: number | undefined): number {
  const canContinue = known !== undefined && known <= state.seq && state.seq - known <= MAX_REPLAY_EVENTS;
  if (canContinue) return known;
  // The page reaches back to the oldest message that has not ended: a queue without its texts is no use.
  const open = [state.running?.turn ?? Infinity, ...state.waiting.map((waiting) => waiting.turn)];
  return Math.max(0, Math.min(state.seq - FIRST_PAGE_EVENTS, Math.min(...open) - 1));
}

/** Offsets beyond what there is come from another life of the answer; such a tab starts it again. */
function offsetsWithin<S extends TabSocket>(
  runtime: SessionRuntime<S>,
  frame: ClientFrameOf<'hello'>,
): [number, number] {
  const { text, thinking = '' } = runtime.partial(frame.turn ?? 0);
  const { offset = 0, thinkingOffset = 0 } = frame;
  return offset <= text.length && thinkingOffset <= thinking.length ? [offset, thinkingOffset] : [0, 0];
}

/** The message that a frame is about, where it is about one. */
function idOf(frame: ClientFrame): { id?: string } {
  return 'id' in frame ? { id: frame.id } : {};
}

function refuse(tab: Tab, error: WireError): void {
  send(tab, { type: 'error', ...error });
}

function send(tab: Tab, frame: ServerFrame): void {
  tab.send(encodeServerFrame(frame));
}

/**
 * The way to an answer that everybody takes: a responder, plus deadlines, retries before the first
 * token, a bound on the length, and an end to it all when the caller says so.
 */
import { MAX_REPLY_LENGTH } from '../protocol/limits.ts';
import { TurnFailure } from './port.ts';
import type {
  AnswerChunk,
  AnswerEnd,
  AnswerStream,
  ModelSettings,
  PromptMessage,
  Responder,
  Responders,
} from './port.ts';
import { cutText } from './shape.ts';
import { Watchdog } from './watchdog.ts';

/** Requests made for one answer at most, the first one included. */
export const MAX_TRIES = 3;
/** Pause before the second try, doubled before each further one, and spread by half either way. */
const BACKOFF_BASE_MS = 250;

export interface AnswerDependencies {
  responders: Responders;
  /** Ends the answer: the generator throws the signal's reason and the connection is closed. */
  signal: AbortSignal;
  /** Resolves after `ms`, or rejects when the signal is aborted. */
  sleep?: (ms: number, signal: AbortSignal) => Promise<void>;
  /** A number from 0 up to 1, for the jitter. */
  random?: () => number;
}

/**
 * The answer to `prompt`. Nothing is sent before the first `next()`. An answer that ends well
 * without a word is an answer: its text is empty. To end it while a `next()` is under way, abort
 * the signal: `return()` has to wait for that `next()`.
 * @throws TurnFailure; the signal's reason when it was aborted
 */
export async function* answer(
  settings: ModelSettings,
  prompt: readonly PromptMessage[],
  dependencies: AnswerDependencies,
): AnswerStream {
  const { signal } = dependencies;
  const responder = dependencies.responders[settings.kind];
  if (responder === undefined) {
    throw new TurnFailure('bot_unavailable', `Models of the kind "${settings.kind}" are not available here.`);
  }
  signal.throwIfAborted();
  const connection = new AbortController();
  const onAbort = (): void => connection.abort(signal.reason);
  signal.addEventListener('abort', onAbort, { once: true });
  const watchdog = new Watchdog(settings.deadlines, (failure) => connection.abort(failure));
  let ended = false;
  try {
    const { stream, first } = await begin(responder, settings, prompt, dependencies, connection.signal, watchdog);
    let result = first;
    let room = MAX_REPLY_LENGTH;
    while (result.done !== true) {
      watchdog.progressed();
      const { text, thinking } = result.value;
      if (text.length + thinking.length > room) {
        const cut = cutChunk(result.value, room);
        if (cut.text !== '' || cut.thinking !== '') yield cut;
        return {
          finish: 'length',
          model: settings.model,
          promptTokens: 0,
          answerTokens: 0,
          modelMs: null,
          writingMs: null,
        };
      }
      room -= text.length + thinking.length;
      yield result.value;
      connection.signal.throwIfAborted();
      watchdog.waiting();
      result = await stream.next();
    }
    ended = true;
    return result.value;
  } catch (error) {
    // However a responder reports that it was closed, why it was closed is what matters.
    if (connection.signal.aborted) throw connection.signal.reason;
    throw error;
  } finally {
    watchdog.stop();
    signal.removeEventListener('abort', onAbort);
    if (!ended) connection.abort();
  }
}

/** Tries until a first piece (or a whole empty answer) is here, or trying again cannot help. */
async function begin(
  responder: Responder,
  settings: ModelSettings,
  prompt: readonly PromptMessage[],
  { sleep = pause, random = Math.random }: AnswerDependencies,
  signal: AbortSignal,
  watchdog: Watchdog,
): Promise<{ stream: AnswerStream; first: IteratorResult<AnswerChunk, AnswerEnd> }> {
  for (let tries = 1; ; tries++) {
    try {
      watchdog.connecting(() => {
        // Its failure tells nothing that the deadline will not.
        responder.reach(settings, signal).then(
          () => watchdog.connected(),
          () => undefined,
        );
      });
      const stream = await responder.open(settings, prompt, signal);
      watchdog.connected();
      return { stream, first: await stream.next() };
    } catch (error) {
      watchdog.connected();
      if (signal.aborted || !(error instanceof TurnFailure) || !error.retryable || tries >= MAX_TRIES) throw error;
      const delayMs = BACKOFF_BASE_MS * 2 ** (tries - 1) * (0.5 + random());
      // What went wrong says more than that time ran out while waiting to ask again.
      if (delayMs >= watchdog.spareMs()) throw error;
      await sleep(delayMs, signal);
      signal.throwIfAborted();
    }
  }
}

/** The part of a chunk that fits into `room` UTF-16 code units; the thinking came first. */
function cutChunk({ text, thinking }: AnswerChunk, room: number): AnswerChunk {
  const thought = cutText(thinking, room);
  return { thinking: thought, text: thought === thinking ? cutText(text, room - thought.length) : '' };
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const onAbort = (): void => {
      clearTimeout(timer);
      reject(signal.reason);
    };
    const timer = setTimeout(() => {
      signal.removeEventListener('abort', onAbort);
      resolve();
    }, ms);
    signal.addEventListener('abort', onAbort, { once: true });
  });
}

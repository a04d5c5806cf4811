/**
 * Closed loop: every user sends, waits for the reply, sends again. It measures how much a server
 * can do; it does not measure what people wait at a given rate, because a server that slows down
 * is asked less.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { Latencies } from './histogram.ts';
import { messageId, messageText } from './message.ts';
import { LoadError } from './scenario.ts';
import type { LoadUser } from './user.ts';

/** A reply that takes longer is not waited for; its message is then one without an answer. */
export const REPLY_TIMEOUT_MS = 30_000;

/** One message of one user and what became of it, as its client saw it. Times in ms after sending. */
export interface Exchange {
  id: string;
  text: string;
  /** Null: not acknowledged, or by a server that does not. */
  ackMs: number | null;
  firstMs: number | null;
  /** Null: no reply came. */
  replyMs: number | null;
  reply: string | null;
  /** What kept the reply from coming, or from being a whole one. */
  problem: string | null;
}

export interface Loop {
  /** Of each user, in the order of sending; with those that ended after the window. */
  exchanges: Exchange[][];
  /** Replies that came within the window. */
  inWindow: number;
  /** The window's real length. */
  windowMs: number;
  /** From the end of the window to the last reply. */
  tailMs: number;
}

export interface LoopOptions {
  /** 0: each user says one thing. */
  windowMs: number;
  /** Messages that each user has sent before (0). */
  sentBefore?: number;
  /** Between a reply and the next message (0). */
  pauseMs?: number;
  /**
   * Ends the window, after which open replies are still waited for. With a LoadError, which is what an interruption
   * aborts with, nothing is waited for any more: a silent server would keep everybody for half a minute.
   */
  signal: AbortSignal;
  /** Called when the window is over. */
  atEnd: () => void;
}

/** Lets all users talk for `windowMs`; resolves when every one has the reply it waits for. @throws what interrupted it */
export async function closedLoop(
  users: readonly LoadUser[],
  { windowMs, sentBefore = 0, pauseMs = 0, signal, atEnd }: LoopOptions,
): Promise<Loop> {
  signal.throwIfAborted();
  const startedAt = performance.now();
  let endedAt: number | null = null;
  let inWindow = 0;
  const end = (): void => {
    if (endedAt !== null) return;
    endedAt = performance.now();
    atEnd();
  };
  const timer = setTimeout(end, windowMs);
  const { promise: interrupted, reject } = Promise.withResolvers<never>();
  const onAbort = (): void => {
    end();
    if (signal.reason instanceof LoadError) reject(signal.reason);
  };
  signal.addEventListener('abort', onAbort, { once: true });
  const talk = async (user: LoadUser, number: number): Promise<Exchange[]> => {
    const done: Exchange[] = [];
    while (endedAt === null) {
      const own = sentBefore + done.length;
      const exchange = await exchangeOf(user, messageId(number, own), messageText(number, own));
      done.push(exchange);
      // A user without a reply has a broken connection, or a server that is lost: it would only wait again.
      if (exchange.reply === null) break;
      if (endedAt !== null) break;
      inWindow += 1;
      if (pauseMs > 0) await sleep(pauseMs, undefined, { signal });
    }
    return done;
  };
  try {
    const exchanges = await Promise.race([Promise.all(users.map(talk)), interrupted]);
    end();
    const windowEnd = endedAt ?? performance.now();
    return { exchanges, inWindow, windowMs: windowEnd - startedAt, tailMs: performance.now() - windowEnd };
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', onAbort);
  }
}

/** Sends one message and waits for its reply. Never rejects. */
async function exchangeOf(user: LoadUser, id: string, text: string): Promise<Exchange> {
  const exchange: Exchange = { id, text, ackMs: null, firstMs: null, replyMs: null, reply: null, problem: null };
  const { promise, resolve } = Promise.withResolvers<void>();
  const end = (problem: string | null): void => {
    exchange.problem ??= problem;
    resolve();
  };
  const timer = setTimeout(() => end('no reply in time'), REPLY_TIMEOUT_MS);
  const sentAt = performance.now();
  const since = (): number => performance.now() - sentAt;
  user.listen({
    acknowledged(acknowledged) {
      if (acknowledged === id) exchange.ackMs ??= since();
    },
    firstToken(begun) {
      if (begun === id) exchange.firstMs ??= since();
    },
    replied(answered, reply, problem) {
      if (answered !== id) return;
      exchange.replyMs = since();
      exchange.reply = reply;
      end(problem);
    },
    gone: end,
  });
  user.send(id, text);
  await promise;
  clearTimeout(timer);
  return exchange;
}

export class Timings {
  readonly ack = new Latencies();
  readonly first = new Latencies();
  readonly reply = new Latencies();

  record(exchanges: Iterable<Exchange>): void {
    for (const { ackMs, firstMs, replyMs } of exchanges) {
      if (ackMs !== null) this.ack.record(ackMs);
      if (firstMs !== null) this.first.record(firstMs);
      if (replyMs !== null) this.reply.record(replyMs);
    }
  }
}

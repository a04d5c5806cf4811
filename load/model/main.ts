/**
 * The model simulator in a process of its own, so that its work is not counted as the server's or
 * the generator's. It notes for every generation when it came, when its first and its last byte were
 * handed over: what remains of an answer's time is the server's.
 */
import { subscribe } from 'node:diagnostics_channel';
import { IncomingMessage, ServerResponse } from 'node:http';
import { startSimulator, type SimulatorOptions } from '../../src/local/simulator/server.ts';
import { monotonicMs } from '../clock.ts';
import { serve } from '../lab/rpc.ts';
import { MESSAGE_MARK, messageKeyAt } from '../message.ts';
import { MODEL_CALLS } from './calls.ts';

/** Longer than the mark and its two numbers. */
const MARK_BYTES = 64;
/** Beyond this many that nobody took, generations are only counted, and whoever takes them is told so. */
const MAX_GENERATIONS = 2_000_000;

interface Generation {
  key: number;
  receivedAt: number;
  firstAt: number;
  endAt: number;
}

let ended: Generation[] = [];
let dropped = 0;

/** Node says here what its HTTP server receives: the simulator itself stays as it is shipped. */
subscribe('http.server.request.start', (message) => {
  if (typeof message !== 'object' || message === null) return;
  const request: unknown = Reflect.get(message, 'request');
  const response: unknown = Reflect.get(message, 'response');
  if (request instanceof IncomingMessage && response instanceof ServerResponse) watch(request, response);
});

function watch(request: IncomingMessage, response: ServerResponse): void {
  if (request.method !== 'POST') return;
  const generation: Generation = { key: Number.NaN, receivedAt: monotonicMs(), firstAt: Number.NaN, endAt: Number.NaN };
  const chunks: Buffer[] = [];
  request.on('data', (chunk: Buffer) => void chunks.push(chunk));
  request.once('end', () => {
    const body = chunks.length === 1 ? chunks[0] : Buffer.concat(chunks);
    // The newest message is the last that has the mark; those of the history come before it.
    const at = body?.lastIndexOf(MESSAGE_MARK) ?? -1;
    if (body && at !== -1) generation.key = messageKeyAt(body.toString('latin1', at, at + MARK_BYTES));
  });
  const write = response.write.bind(response);
  const end = response.end.bind(response);
  response.write = function noted(...args: unknown[]): boolean {
    noteFirst(generation);
    return Reflect.apply(write, response, args);
  };
  response.end = function noted(...args: unknown[]): ServerResponse {
    noteFirst(generation);
    generation.endAt = monotonicMs();
    note(generation);
    return Reflect.apply(end, response, args);
  };
}

function noteFirst(generation: Generation): void {
  if (Number.isNaN(generation.firstAt)) generation.firstAt = monotonicMs();
}

function note(generation: Generation): void {
  if (Number.isNaN(generation.key)) return;
  if (ended.length < MAX_GENERATIONS) ended.push(generation);
  else dropped += 1;
}

function takeAll(): Record<keyof Generation, Float64Array> {
  const [taken, missing] = [ended, dropped];
  ended = [];
  dropped = 0;
  if (missing > 0) throw new Error(`The model kept no times of ${missing} answers: nobody took those before.`);
  return {
    key: Float64Array.from(taken, ({ key }) => key),
    receivedAt: Float64Array.from(taken, ({ receivedAt }) => receivedAt),
    firstAt: Float64Array.from(taken, ({ firstAt }) => firstAt),
    endAt: Float64Array.from(taken, ({ endAt }) => endAt),
  };
}

/** The settings come as the first argument, written as JSON. */
function settingsOf(text: string | undefined): SimulatorOptions {
  const settings: SimulatorOptions = JSON.parse(text ?? '{}');
  return settings;
}

const simulator = await startSimulator(settingsOf(process.argv[2]));
serve(MODEL_CALLS, {
  where: async () => ({ url: simulator.url }),
  take: async () => ({ generations: takeAll() }),
});

/**
 * Cloudflare's AIChatAgent as its own README sets it up, on the model simulator's OpenAI endpoint, and
 * with counters of what a deployment would be billed for. Its packages are installed in this folder
 * alone, so this file is bundled but not among those that the product's compiler checks.
 */
import { AIChatAgent } from '@cloudflare/ai-chat';
import { createOpenAICompatible } from '@ai-sdk/openai-compatible';
import { routeAgentRequest } from 'agents';
import { convertToModelMessages, streamText } from 'ai';

const COUNTERS_PATH = '/load/counters';

interface Bindings {
  MODEL_URL: string;
}

const counters = { workerRequests: 0, objectRequests: 0, frames: 0, rowsWritten: 0, rowsRead: 0 };

/** As test/workers/support/counting-worker.ts counts for the product. */
function countStorage({ storage }: DurableObjectState): void {
  const { sql } = storage;
  const exec = sql.exec.bind(sql);
  let before: { rowsRead: number } | null = null;
  sql.exec = (query: string, ...bindings: unknown[]) => {
    counters.rowsRead += before?.rowsRead ?? 0;
    const cursor = exec(query, ...bindings);
    counters.rowsWritten += cursor.rowsWritten;
    before = cursor;
    return cursor;
  };
  for (const name of ['put', 'delete', 'setAlarm'] as const) {
    const write = storage[name].bind(storage);
    storage[name] = (...args: unknown[]) => {
      counters.rowsWritten += 1;
      return write(...args);
    };
  }
}

const CALLS = { fetch: 'objectRequests', alarm: 'objectRequests', webSocketMessage: 'frames' } as const;

/** AIChatAgent puts its handlers on each object when it is made, and leaves out those that a class has: overriding them ends it. */
function countCalls(agent: object): void {
  for (const [name, counter] of Object.entries(CALLS)) {
    const handler: unknown = Reflect.get(agent, name);
    if (typeof handler !== 'function') continue;
    Object.defineProperty(agent, name, {
      configurable: true,
      value: (...args: unknown[]): unknown => {
        counters[counter] += 1;
        return Reflect.apply(handler, agent, args);
      },
    });
  }
}

export class ChatAgent extends AIChatAgent<Bindings> {
  constructor(ctx: DurableObjectState, env: Bindings) {
    countStorage(ctx);
    super(ctx, env);
    countCalls(this);
  }

  override async onChatMessage(): Promise<Response> {
    const provider = createOpenAICompatible({ name: 'simulator', baseURL: `${this.env.MODEL_URL}/v1` });
    const result = streamText({ model: provider('simulator'), messages: await convertToModelMessages(this.messages) });
    return result.toUIMessageStreamResponse();
  }
}

export default {
  async fetch(request: Request, env: Bindings): Promise<Response> {
    if (new URL(request.url).pathname === COUNTERS_PATH) return Response.json(counters);
    counters.workerRequests += 1;
    return (await routeAgentRequest(request, env)) ?? new Response('Not found', { status: 404 });
  },
};

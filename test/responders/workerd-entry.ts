/** The Worker of workerd.test.ts: reads one answer, or several at once, as its query says and reports how they ended. */
import { answer } from '../../src/responders/answer.ts';
import { ollama } from '../../src/responders/ollama.ts';
import { TurnFailure } from '../../src/responders/port.ts';
import type { Deadlines, ModelSettings } from '../../src/responders/port.ts';

const DEADLINES = { connectTimeoutMs: 5_000, firstTokenTimeoutMs: 5_000, idleTimeoutMs: 5_000, totalTimeoutMs: 5_000 };

export default {
  async fetch(request: Request): Promise<Response> {
    const query = new URL(request.url).searchParams;
    const number = (name: keyof Deadlines): number => Number(query.get(name) ?? DEADLINES[name]);
    const settings: ModelSettings = {
      kind: 'ollama',
      baseUrl: query.get('baseUrl') ?? '',
      apiKey: null,
      model: 'm',
      options: {},
      think: null,
      keepAlive: null,
      deadlines: {
        connectTimeoutMs: number('connectTimeoutMs'),
        firstTokenTimeoutMs: number('firstTokenTimeoutMs'),
        idleTimeoutMs: number('idleTimeoutMs'),
        totalTimeoutMs: number('totalTimeoutMs'),
      },
    };
    const controller = new AbortController();
    const abortMs = Number(query.get('abortMs') ?? 0);
    if (abortMs > 0) setTimeout(() => controller.abort(new Error('enough')), abortMs);
    const read = async () => {
      let text = '';
      let pieces = 0;
      try {
        const stream = answer(settings, [{ role: 'user', text: 'hi' }], {
          responders: { ollama: ollama() },
          signal: controller.signal,
        });
        for await (const chunk of stream) {
          text += chunk.text;
          pieces += 1;
        }
        return { text, ended: 'well', pieces };
      } catch (error) {
        return { text, ended: error instanceof TurnFailure ? error.code : String(error), pieces };
      }
    };
    const answers = Number(query.get('answers') ?? 1);
    const all = await Promise.all(Array.from({ length: answers }, read));
    // The Worker lives on for a moment, so that what closes a connection is the responder.
    await new Promise((resolve) => void setTimeout(resolve, Number(query.get('lingerMs') ?? 300)));
    const [{ text, ended } = { text: '', ended: 'never' }] = all;
    return Response.json(answers === 1 ? { text, ended } : all);
  },
};

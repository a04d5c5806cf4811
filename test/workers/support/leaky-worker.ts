/** Planted bug: requests are logged with their address and their proof of who made them. */
import type { Bindings } from '../../../src/env.ts';
import worker from '../../../src/worker.ts';

export { Bot, ChatSession, HistoryWriter } from '../../../src/worker.ts';

export default {
  fetch(request, env, context) {
    const { url, headers } = request;
    console.log(JSON.stringify({ event: 'asked', url, authorization: headers.get('authorization') }));
    return worker.fetch(request, env, context);
  },
} satisfies ExportedHandler<Bindings>;

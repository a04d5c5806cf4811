/**
 * The Worker as a deployment replaces it: told to (`POST /test/leave`), every session closes its
 * sockets, one half with our own code for it and the other with the standard's, as a proxy would.
 * `GET /test/code` says which code runs. For drills only.
 */
import type { Bindings, SessionStub } from '../../../src/env.ts';
import { CLOSE } from '../../../src/protocol/codes.ts';
import worker, { ChatSession as Shipped } from '../../../src/worker.ts';

export { Bot, HistoryWriter } from '../../../src/worker.ts';

/** "Service restart" in the WebSocket protocol's own list. */
const SERVICE_RESTART = 1012;

/** One isolate runs the Worker and its objects, so one set knows them all. */
const sessions = new Set<string>();

export class ChatSession extends Shipped {
  constructor(ctx: DurableObjectState, env: Bindings) {
    super(ctx, env);
    if (ctx.id.name !== undefined) sessions.add(ctx.id.name);
  }

  async leave(code: number): Promise<number> {
    const sockets = this.ctx.getWebSockets();
    for (const socket of sockets) socket.close(code, 'The server restarts.');
    return sockets.length;
  }
}

type LeavingBindings = Omit<Bindings, 'SESSIONS'> & {
  SESSIONS: { getByName(name: string): SessionStub & { leave(code: number): Promise<number> } };
};

async function leave(env: LeavingBindings): Promise<number> {
  const codes = [CLOSE.goingAway, SERVICE_RESTART] as const;
  const closed = await Promise.all(
    [...sessions].map((name, index) => env.SESSIONS.getByName(name).leave(codes[index % codes.length] ?? codes[0])),
  );
  return closed.reduce((sum, count) => sum + count, 0);
}

export function createHandler(code: string): ExportedHandler<LeavingBindings> {
  return {
    async fetch(request, env, context) {
      const { pathname } = new URL(request.url);
      if (pathname === '/test/code') return Response.json({ code });
      if (pathname === '/test/leave') return Response.json({ closed: await leave(env) });
      return worker.fetch(request, env, context);
    },
  };
}

export default createHandler('first');

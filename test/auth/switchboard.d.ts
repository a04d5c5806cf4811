/** src/objects/chat-session.ts as tests in Node see it: bundled with a stand-in for `cloudflare:workers`. */
declare module 'switchboard:chat-session' {
  type SessionRpc = import('../../src/objects/session-rpc.ts').SessionRpc;

  export interface ChatSession extends SessionRpc {
    fetch(request: Request): Promise<Response>;
    webSocketMessage(socket: unknown, data: string): void;
  }
  export const ChatSession: new (context: object, env: object) => ChatSession;
}

import { DurableObject } from 'cloudflare:workers';

export class ChatSession extends DurableObject {}

export default { fetch: () => new Response('starting', { status: 503 }) } satisfies ExportedHandler;

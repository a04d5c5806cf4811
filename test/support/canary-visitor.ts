/** Somebody who sends marked secrets and texts through every field and route, wrong ones included. */
import type { Sink } from './canaries.ts';
import type { RealServer } from './real-server.ts';
import type { Answer, RequestOptions, User } from './user.ts';

export const SECRETS = {
  operatorToken: 'canary-operator-token-4b1f7a90c2',
  sessionSecret: 'canary-session-secret-97d0e1a3b5c7f2',
  endpointKey: 'canary-endpoint-key-6e2d8c41f0',
  botKey: 'canary-bot-key-0f9a7b3e5d',
  webhookSecret: 'canary-webhook-secret-1c3e5a7b9d0f2468',
  // Somebody's slip of the hand is nearly their token.
  wrongToken: 'canary-wrong-token-8a6c4e2f0b',
};
export const TEXTS = {
  message: 'canary-message-d41c0b',
  socketMessage: 'canary-socket-message-7f3a92',
  edited: 'canary-edited-55e1c8',
  priority: 'canary-priority-20bd7e',
  failing: 'canary-failing-c93f14',
  title: 'canary-title-8e07a6',
  folder: 'canary-folder-3b92fd',
  prompt: 'canary-prompt-f60d2b',
  botPrompt: 'canary-bot-prompt-91ac7e',
  operatorPrompt: 'canary-operator-prompt-2d8b05',
  query: 'canary-query-e7416c',
  path: 'canary-path-0a5fd3',
  header: 'canary-header-b8e290',
  badBody: 'canary-bad-body-46c7f1',
  badFrame: 'canary-bad-frame-d0e35a',
  field: 'canary_field_19f8b4',
  optionName: 'canary_option_c17e2b',
  optionValue: 'canary-option-4d90fa',
  messageId: 'canary-message-id-a27d6e',
  endpointSaid: 'canary-endpoint-said-5c80e9',
};
export const ADDRESS = '203.0.113.77';
/** Ends in the middle of the answer: no fault of the endpoint, so that its breaker stays out of this. */
const FAILS = `[[sim fault=error@1:${TEXTS.endpointSaid}]]`;
const FAILING_TURNS = 12;

/** Sends marks through everything that takes something; keeps what was refused. */
export class Visitor {
  readonly user: User;
  readonly problems: Sink[] = [];
  readonly #operator = { authorization: `Bearer ${SECRETS.operatorToken}` };

  constructor(server: RealServer) {
    this.user = server.user();
  }

  async request(path: string, options: RequestOptions = {}): Promise<Answer> {
    const headers = {
      'user-agent': TEXTS.header,
      referer: `https://example.com/${TEXTS.header}`,
      'x-request-id': TEXTS.header,
      'x-forwarded-for': ADDRESS,
      'accept-language': TEXTS.header,
      ...options.headers,
    };
    const answer = await this.user.request(path, { ...options, headers });
    if (answer.status >= 400) {
      const text = `${path} ${JSON.stringify([answer.body, ...answer.headers])}`;
      this.problems.push({ name: 'problem', text: text.slice(path.length) });
    }
    return answer;
  }

  asOperator(path: string, options: RequestOptions = {}): Promise<Answer> {
    return this.request(path, { ...options, headers: { ...options.headers, ...this.#operator } });
  }

  async talk(): Promise<string> {
    const { user } = this;
    const session = await user.session({ title: TEXTS.title });
    const path = `/api/sessions/${session}`;
    await this.request(path, { method: 'PATCH', body: { folder: TEXTS.folder, bot: 'told' } });
    const { status } = await user.post(session, 'm-1', TEXTS.message, 20);
    if (status !== 200) throw new Error(`no answer came: ${status}`);
    const wire = await user.join(session);
    const { seq } = await wire.ask(TEXTS.messageId, `${TEXTS.socketMessage} [[sim tokens=400 tokenMs=20]]`);
    await wire.frame('delta', ({ turn }) => turn === seq);
    await wire.ask('m-3', TEXTS.priority, 1);
    wire.send({ type: 'edit', id: 'm-3', text: TEXTS.edited });
    await wire.event('edited');
    wire.send({ type: 'cancel', id: 'm-3' });
    await wire.event('cancelled');
    wire.send({ type: 'stop', turn: seq });
    await wire.outcome(seq);
    for (const bad of [
      TEXTS.badFrame,
      `{"type":"send","id":"x","text":"${TEXTS.badFrame}"`,
      JSON.stringify({ type: TEXTS.badFrame }),
      JSON.stringify({ type: 'send', id: 'y', text: '', [TEXTS.field]: TEXTS.badFrame }),
      new TextEncoder().encode(TEXTS.badFrame),
    ]) {
      const refusal = await wire.refused(bad);
      this.problems.push({ name: 'problem', text: JSON.stringify(refusal) });
    }
    wire.close();
    await this.request(`${path}/export?format=json`);
    await this.request(`${path}/messages`, { body: { id: 'm-1', text: TEXTS.badBody } });
    return session;
  }

  /** Turns that fail in the middle, and turns at an endpoint that quotes what it was sent. */
  async fail(): Promise<void> {
    const session = await this.user.session({});
    for (let turn = 0; turn < FAILING_TURNS; turn += 1) {
      await this.user.post(session, `f-${turn}`, `${TEXTS.failing} ${FAILS}`, 20);
    }
    const told = await this.user.session({ bot: 'telling' });
    for (let turn = 0; turn < 3; turn += 1) await this.user.post(told, `t-${turn}`, TEXTS.failing, 20);
  }

  async err(session: string): Promise<void> {
    const path = `/api/sessions/${session}`;
    const wrong = { authorization: `Bearer ${SECRETS.wrongToken}` };
    const places = ['/metrics', '/api/alerts', '/api/health/full', '/api/audit', '/api/operator', '/api/search?q=x'];
    for (const place of places) await this.request(place, { headers: wrong });
    await this.request(`/metrics?token=${SECRETS.operatorToken}`);
    await this.request(`/api/${SECRETS.operatorToken}`);
    await this.request('/api/operator/login', { body: { token: SECRETS.wrongToken } });
    await this.request('/api/operator/login', { body: { token: SECRETS.operatorToken, [TEXTS.field]: 1 } });
    await this.request('/api/operator/login', { body: { token: SECRETS.operatorToken } });
    await this.request('/metrics', {
      headers: { authorization: `Basic ${btoa(`operator:${SECRETS.operatorToken}`)}` },
    });
    await this.request(`/api/search?q=${TEXTS.query}`);
    await this.request(`/api/search?q=${TEXTS.query}&cursor=${TEXTS.query}`);
    for (const place of [
      `/api/${TEXTS.path}`,
      `/${TEXTS.path}`,
      `/api/bots/${TEXTS.path}`,
      `/api/shared/${TEXTS.path}`,
    ]) {
      await this.request(place);
      await this.request(place, { body: TEXTS.badBody, method: 'DELETE' });
    }
    for (const body of [
      TEXTS.badBody,
      `{"id":"${TEXTS.badBody}`,
      { id: TEXTS.badBody },
      { [TEXTS.field]: TEXTS.badBody },
      [TEXTS.badBody],
    ]) {
      for (const place of [`${path}/messages`, '/api/sessions', '/api/bots', path, `${path}/share`]) {
        await this.request(place, { body });
        await this.request(place, { body, method: 'PATCH' });
        await this.asOperator(place, { body });
      }
    }
    await this.request(`${path}/messages`, { body: { id: 'long', text: TEXTS.badBody.repeat(5_000) } });
    await this.request('/api/sessions', { body: { title: TEXTS.title.repeat(200) } });
    await this.request('/api/sessions', { body: { bot: TEXTS.badBody } });
    await this.request(path, { headers: { cookie: `sb_user=${TEXTS.header}.${SECRETS.wrongToken}` } });
    await this.request(path, {
      method: 'PATCH',
      body: { title: 'x' },
      headers: { origin: `https://${TEXTS.path}.example` },
    });
  }

  /** An operator makes and changes a bot, with fields that are right and fields that are wrong. */
  async operate(): Promise<void> {
    const spec = { id: 'made', name: 'Made', model: 'simulator', systemPrompt: TEXTS.operatorPrompt };
    await this.asOperator('/api/bots', { body: spec });
    await this.asOperator('/api/bots/made', {
      method: 'PATCH',
      body: { systemPrompt: `${TEXTS.operatorPrompt} again` },
    });
    await this.asOperator('/api/bots/made', {
      method: 'PATCH',
      body: { endpoint: `http://${TEXTS.path}:${SECRETS.wrongToken}@h/` },
    });
    await this.asOperator('/api/bots/made', {
      method: 'PATCH',
      body: { options: { [TEXTS.optionName]: TEXTS.optionValue } },
    });
    for (const action of ['launch', 'pause', 'resume', 'stop'])
      await this.asOperator(`/api/bots/made/${action}`, { body: {} });
    await this.asOperator('/api/bots', { body: { ...spec, id: TEXTS.badBody.toUpperCase() } });
  }

  /** A share link is made, read and taken back; resolves with its token. */
  async share(session: string): Promise<string> {
    const { status, body } = await this.request(`/api/sessions/${session}/share`, { body: {} });
    const token = /\/shared\/([^/"]+)/.exec(JSON.stringify(body))?.[1] ?? '';
    if (status !== 201 || token === '') throw new Error(`no link was made: ${status}`);
    await this.request(`/shared/${token}`);
    await this.request(`/api/shared/${token}`);
    await this.request(`/api/shared/${token}x`);
    await this.request(`/api/shared/${token}`, { method: 'DELETE' });
    return token;
  }
}

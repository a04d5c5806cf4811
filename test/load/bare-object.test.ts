/** What the product is compared with tells the whole answer, however it reads it. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { BARE_MODES, type BareMode } from '../../load/bare-object/modes.ts';
import { BareUser } from '../../load/bare-user.ts';
import { startBareObject, startModel, type Started } from '../../load/lab/servers.ts';
import { messageId } from '../../load/message.ts';

const TOKENS = 200;
let started: Started[] = [];
let url = '';

beforeAll(async () => {
  const model = await startModel({ tokens: TOKENS, tokensPerWrite: 1 });
  const bare = await startBareObject(model.url);
  started = [bare, model];
  ({ url } = bare);
}, 60_000);

afterAll(async () => {
  for (const one of started) await one.stop();
});

async function ask(mode: BareMode): Promise<{ text: string; frames: number }> {
  const user = await BareUser.connect(url, `one who asks ${mode}`, mode);
  try {
    const text = await new Promise<string>((resolve, reject) => {
      user.listen({
        acknowledged: () => undefined,
        firstToken: () => undefined,
        replied: (_, reply) => resolve(reply),
        gone: (problem) => reject(new Error(problem)),
      });
      user.send(messageId(0, 0), 'the same question');
    });
    return { text, frames: user.received.frames };
  } finally {
    user.close();
  }
}

test('all modes tell the same, in as many frames as they read pieces', async () => {
  const [each, paced, whole] = [await ask('each'), await ask('paced'), await ask('whole')];
  expect(BARE_MODES).toHaveLength(3);
  expect(whole.text.length).toBeGreaterThan(TOKENS);
  expect(paced.text).toBe(whole.text);
  expect(each.text).toBe(whole.text);
  expect(each.frames).toBeGreaterThanOrEqual(TOKENS);
  expect(paced.frames).toBeGreaterThan(1);
  expect(paced.frames).toBeLessThan(TOKENS / 4);
  expect(whole.frames).toBe(1);
});

test('a mode that it does not know is refused', async () => {
  const answer = await fetch(`${url}/somebody?mode=halves`);
  expect(answer.status).toBe(400);
});

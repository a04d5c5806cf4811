/** An operator's login from the console: the token once, then a cookie that scripts cannot read. */
import { Hono } from 'hono';
import * as z from 'zod/mini';
import { logoutCookie } from '../auth/operator-cookie.ts';
import { notOperator, requireOperator } from './access.ts';
import { readJson } from './body.ts';
import type { AppEnv, ServerDeps } from './deps.ts';

const MAX_TOKEN_LENGTH = 1_024;

const loginBody = z.strictObject({ token: z.string().check(z.minLength(1), z.maxLength(MAX_TOKEN_LENGTH)) });

export function operatorRoutes(deps: ServerDeps): Hono<AppEnv> {
  const app = new Hono<AppEnv>();

  app.get('/', async (c) => {
    const { actor } = await requireOperator(c.req.raw, deps);
    return c.json({ operator: true, actor });
  });

  app.post('/login', async (c) => {
    const { token } = await readJson(c.req.raw, loginBody);
    const login = deps.auth.login(token, c.req.raw);
    if (!login.ok) throw notOperator(login, deps);
    c.header('set-cookie', login.cookie);
    return c.json({ operator: true, actor: 'login' });
  });

  app.post('/logout', (c) => {
    c.header('set-cookie', logoutCookie(new URL(c.req.url).protocol === 'https:'));
    return c.body(null, 204);
  });

  return app;
}

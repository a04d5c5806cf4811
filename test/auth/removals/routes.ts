import { removals } from './removal.ts';

const ACCESS = 'server/access.ts';
const APP = 'server/app.ts';
const OPERATOR_ONLY = 'what is for operators is for nobody else, on every route';

const ASKED = 'const { actor } = await requireOperator(c.req.raw, deps);';
const UNASKED = `const actor = 'anybody';`;

export const routes = removals('routes.ts', [
  [
    'it is said of every route who it is for',
    APP,
    `  app.route('/api/operator', operatorRoutes(deps));\n`,
    `  app.route('/api/operator', operatorRoutes(deps));\n  app.get('/api/everything', (c) => c.json({}));\n`,
  ],
  [
    OPERATOR_ONLY,
    'server/bots.ts',
    `post('/', async (c) => {\n    ${ASKED}`,
    `post('/', async (c) => {\n    ${UNASKED}`,
  ],
  [
    OPERATOR_ONLY,
    'server/bots.ts',
    `patch('/:bot', async (c) => {\n    ${ASKED}`,
    `patch('/:bot', async (c) => {\n    ${UNASKED}`,
  ],
  [
    OPERATOR_ONLY,
    'server/bots.ts',
    `delete('/:bot', async (c) => {\n    ${ASKED}`,
    `delete('/:bot', async (c) => {\n    ${UNASKED}`,
  ],
  [OPERATOR_ONLY, 'server/bots.ts', `      ${ASKED}`, `      ${UNASKED}`],
  [OPERATOR_ONLY, 'server/operator-login.ts', ASKED, UNASKED],
  [OPERATOR_ONLY, 'server/health.ts', 'await requireOperator(c.req.raw, deps);', ''],
  [OPERATOR_ONLY, 'server/alerts.ts', 'await requireOperator(c.req.raw, deps);', ''],
  [OPERATOR_ONLY, 'server/metrics.ts', 'await requireOperator(c.req.raw, deps);', ''],
  [
    OPERATOR_ONLY,
    'server/audit.ts',
    `get('/', async (c) => {\n    await requireOperator(c.req.raw, deps);`,
    `get('/', async (c) => {`,
  ],
  [
    OPERATOR_ONLY,
    'server/audit.ts',
    `get('/verify', async (c) => {\n    await requireOperator(c.req.raw, deps);`,
    `get('/verify', async (c) => {`,
  ],
  [
    'a session of another user answers as none does, on every route',
    'server/messages.ts',
    `const { user } = await requireUser(c.req.raw, deps);\n    const id`,
    `const user = deps.session(c.req.param('id')).owner;\n    const id`,
  ],
  [
    'a session of another user answers as none does, on every route',
    'server/export.ts',
    'const { user } = await requireUser(c.req.raw, deps);',
    `const user = deps.session(c.req.param('id')).owner;`,
  ],
  [
    'without a user no route of a session answers',
    ACCESS,
    '  if (identity === null) throw noUser(deps);\n',
    `  if (identity === null) return { kind: 'anonymous', user: '', validUntil: Infinity };\n`,
  ],
  [
    'who is nobody yet sees nothing of others',
    'server/sessions.ts',
    '    if (identity === null) return c.json({ sessions: [], nextCursor: null });\n',
    '',
  ],
  [
    'an operator is not a user: the token opens no conversation',
    ACCESS,
    '  const identity = await knownUser(request, deps, limiter);\n',
    `  if (await isOperator(request, deps)) return { kind: 'anonymous', user: '', validUntil: Infinity };\n  const identity = await knownUser(request, deps, limiter);\n`,
  ],
]);

import { removals } from './removal.ts';

const ACCESS = 'server/access.ts';
const APP = 'server/app.ts';
const FRAMES = 'objects/socket-frames.ts';

const PER_ADDRESS = 'await limitAddress(limiterOf(deps, c.req.raw), c.req.raw);';
const PER_USER = 'await limitUser(limiter, identity.user);';

export const limits = removals('limits.ts', [
  ['an address may read so often', APP, PER_ADDRESS, ''],
  ['an address may write so often', APP, PER_ADDRESS, ''],
  [
    'an address may write so often',
    'server/problem.ts',
    `  if (retryAfterMs !== undefined) all.set('retry-after', `,
    '  void (',
  ],
  ['an address may try so often to open shared conversations', APP, PER_ADDRESS, ''],
  ['an address may connect so often', 'server/connect.ts', '    await limitAddress(deps.connectLimit, request);\n', ''],
  ['a user may read and write so often, from however many addresses', ACCESS, PER_USER, 'void limiter;'],
  [
    'a user may connect so often',
    'server/connect.ts',
    'requireUser(request, deps, deps.connectLimit)',
    'requireUser(request, deps)',
  ],
  ['a counter that fails closes nothing', 'server/rate-limit.ts', '.catch(() => ({ success: true }))', ''],
  [
    'a session takes so many messages, over all sockets and requests together',
    FRAMES,
    'runtime.tabs.messages.take(now)',
    'true',
  ],
  [
    'S24: changes of messages and other answers count like messages: each is a record for good, or asks the model',
    FRAMES,
    'beyondBound(runtime, runtime.now(), idOf(frame)) ?? ',
    '',
  ],
  [
    'a person, and the load that one session is built for, never notice',
    'protocol/limits.ts',
    'MESSAGES_PER_SECOND = 20',
    'MESSAGES_PER_SECOND = 1',
  ],
]);

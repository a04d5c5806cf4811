import { removals } from './removal.ts';

const ACCESS = 'server/access.ts';
const SESSION = 'objects/chat-session.ts';
const FRAMES = 'objects/socket-frames.ts';
const TAB = 'objects/tab.ts';
const OWNED = 'runtime.owner === user ? runtime : null';

const EVERY_FRAME = '  if (!tab.isAuthorised(runtime.owner, now)) return tab.endUnauthorised();\n';

export const sessions = removals('sessions.ts', [
  ['a session of another user answers as if there were none', SESSION, OWNED, 'user ? runtime : null'],
  [
    'a session of another user answers as if there were none',
    SESSION,
    'return this.#for(user) ? this.#shares.add',
    'return user ? this.#shares.add',
  ],
  [
    'a session of another user answers as if there were none',
    SESSION,
    'return this.#for(user) ? { ok: true, value: this.#shares.list',
    'return user ? { ok: true, value: this.#shares.list',
  ],
  [
    'a session of another user answers as if there were none',
    SESSION,
    'return this.#for(user) ? { ok: true, value: this.#shares.revoke',
    'return user ? { ok: true, value: this.#shares.revoke',
  ],
  ['a socket to a session of another user is refused as one to none', SESSION, OWNED, 'user ? runtime : null'],
  [
    'a deleted session is gone for whoever has a link to it',
    SESSION,
    'runtime && !runtime.removed ? this',
    'runtime ? this',
  ],
  [
    'a user is who the cookie was signed for',
    'auth/cookie.ts',
    'return isSameSecret(signature, signatureOf(user, PURPOSE, secret)) ? user : null;',
    'return user;',
  ],
  ['of two cookies of one name neither is believed', 'auth/cookie.ts', 'values.length === 1', 'values.length > 0'],
  ['what cannot be a session wakes no object', ACCESS, 'if (!isSessionId(id)) throw', 'if (id === null) throw'],
  ['a client cannot say itself who it is', 'server/connect.ts', `if (name.startsWith('sec-websocket-'))`, 'if (name)'],
  [
    'without a proof there is no socket, and a code not to come again',
    'server/connect.ts',
    'deps.refuseUpgrade(identity, CLOSE.unauthorized)',
    'deps.refuseUpgrade(identity, CLOSE.goingAway)',
  ],
  ['a frame after the proof has ended is refused, and the socket closed', FRAMES, EVERY_FRAME, ''],
  ['every kind of frame is refused then, pings and nonsense included', FRAMES, EVERY_FRAME, ''],
  ['a tab opened by somebody else is refused', TAB, '(this.#proof === null || this.#proof.user === owner)', 'true'],
  [
    'who only listens is let go of, too, before others are answered',
    FRAMES,
    '  runtime.tabs.closeUnauthorised(runtime.owner, now);\n',
    '',
  ],
  ['who only listens is let go of, too, before others are answered', TAB, '    if (this.#closed) return;\n', ''],
  [
    'who only listens is let go of while an answer runs',
    'objects/tabs.ts',
    'if (tab.hasExpired(now)) tab.endUnauthorised();\n      else if',
    'if',
  ],
  [
    'a socket carries who opened it and until when, through hibernation',
    TAB,
    '{ seq, proof, acceptedAt, heardAt });',
    '{ seq, proof: null, acceptedAt, heardAt });',
  ],
  [
    'a socket carries who opened it and until when, through hibernation',
    SESSION,
    '    runtime.tabs.get(server)?.vouch({ user, until });\n',
    '',
  ],
  [
    'a socket of which nobody says until when is not served',
    SESSION,
    'Number(request.headers.get(UNTIL_HEADER))',
    'Number(request.headers.get(UNTIL_HEADER) ?? Infinity)',
  ],
]);

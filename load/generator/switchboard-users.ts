/**
 * Users of Switchboard as a generator process makes them. Options: `tabs` (so many users share each
 * session; 1), `bots` (the users take turns with so many bots, `bot-1` and on; 0: the default bot),
 * `record` (1: everything is recorded and checked; 0: not), `access` (JSON: the sessions of the first users;
 * default: each makes its own).
 */
import * as z from 'zod/mini';
import type { CreateUsers, UserSource } from '../user.ts';
import { differences } from '../check.ts';
import { FrameTape } from '../frame-tape.ts';
import { newSession, SwitchboardUser, type SessionAccess } from '../switchboard/user.ts';
import { checkTape } from '../switchboard/integrity.ts';

const accesses = z.array(z.object({ session: z.string(), cookie: z.string() }));

export const createUsers: CreateUsers = (url, options) => {
  const { tabs = 1, bots = 0, record = 1, access: given = '[]' } = options;
  const made = accesses.parse(JSON.parse(String(given)));
  const tape = record === 1 ? new FrameTape() : null;
  const sessions = new Map<number, Promise<SessionAccess>>();
  const users: SwitchboardUser[] = [];
  /** By the number of the user. */
  const sessionOf = new Map<number, string>();

  const accessFor = async (user: number): Promise<SessionAccess> => {
    const own = made[user];
    if (own) return own;
    const session = Math.floor(user / Number(tabs));
    const known = sessions.get(session);
    if (known) return known;
    const making = newSession(url, Number(bots) === 0 ? null : `bot-${(session % Number(bots)) + 1}`);
    // Only who shares a session has to find it again.
    if (Number(tabs) > 1) sessions.set(session, making);
    return making;
  };

  const source: UserSource<SwitchboardUser> = {
    async connect(number) {
      const access = await accessFor(number);
      const user = await SwitchboardUser.connect(url, access, tape && { tape, user: number });
      sessionOf.set(number, access.session);
      users.push(user);
      return user;
    },
    async compare(count) {
      let different = 0;
      for (const user of users.slice(0, count)) different += differences(user.history, await user.storedHistory());
      return different;
    },
    ...(tape === null ? {} : { check: async (request) => checkTape(tape, sessionOf, request) }),
  };
  return source;
};

/**
 * Users of the bare object as a generator process makes them: they ping as the product's client does, and keep no
 * record. Options: `tabs`, so many users share each object (1); `mode`, how it reads (`each`).
 */
import { PING_INTERVAL_MS } from '../../src/protocol/limits.ts';
import { BARE_MODES } from '../bare-object/modes.ts';
import { BareUser } from '../bare-user.ts';
import { LoadError } from '../scenario.ts';
import type { CreateUsers, UserSource } from '../user.ts';

export const createUsers: CreateUsers = (url, { tabs = 1, mode: name = 'each' }): UserSource => {
  const mode = BARE_MODES.find((known) => known === name);
  if (mode === undefined) throw new LoadError('usage', `A bare object has no mode "${name}".`);
  return {
    async connect(number) {
      const user = await BareUser.connect(url, `session ${Math.floor(number / Number(tabs))}`, mode);
      const timer = setInterval(() => {
        if (user.live) user.ping();
        else clearInterval(timer);
      }, PING_INTERVAL_MS);
      return user;
    },
  };
};

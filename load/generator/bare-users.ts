/**
 * Users of the bare object as a generator process makes them: they ping as the product's client does, and keep no
 * record. Options: `tabs`, so many users share each object (1); `mode`, how it reads (`each`).
 */
import { PING_INTERVAL_MS } from '../../src/protocol/limits.ts';
import { BareUser } from '../bare-user.ts';
import type { CreateUsers, UserSource } from '../user.ts';

export const createUsers: CreateUsers = (url, { tabs = 1, mode = 'each' }): UserSource => ({
  async connect(number) {
    const user = await BareUser.connect(
      url,
      `session ${Math.floor(number / Number(tabs))}`,
      mode === 'paced' ? mode : 'each',
    );
    const timer = setInterval(() => {
      if (user.live) user.ping();
      else clearInterval(timer);
    }, PING_INTERVAL_MS);
    return user;
  },
});

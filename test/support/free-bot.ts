/** A bot that lets every turn begin and wants to know nothing: what sessions are tested with where bots do not matter. */
import type { SessionAnswer } from '../../src/objects/bot-rpc.ts';
import type { SessionPorts } from '../../src/objects/ports.ts';

export const GO: SessionAnswer = {
  do: 'go',
  revision: 0,
  spec: null,
  leaseMs: null,
  callAgainMs: 1_000,
  unasked: true,
};

export const freeBot: Pick<SessionPorts<unknown>, 'attend' | 'findBot' | 'takeRowsWritten'> = {
  attend: () => Promise.resolve(GO),
  findBot: () => Promise.resolve(null),
  takeRowsWritten: () => 0,
};

/** The servers of one comparison on one model, each as something that a round can load. */
import { addCounts, countRecorded, NO_COUNTS, type Told } from '../check.ts';
import type { Timings } from '../driver.ts';
import type { Lab } from '../lab/lab.ts';
import { startBareObject, type Started } from '../lab/servers.ts';
import { runRound, type Round, type RoundOptions, type Target } from '../round.ts';
import { bareTarget, SwitchboardTarget } from '../targets.ts';
import type { LoadUser } from '../user.ts';
import { AiChatServer } from './ai-chat-server.ts';
import { AiChatUser } from './ai-chat-user.ts';
import type { PeerServer } from './peer.ts';
import type { SocketUser } from '../socket-user.ts';
import { PlainServer } from './plain-server.ts';
import { PlainUser } from './plain-user.ts';

export const OWN = 'Switchboard';
export const AI_CHAT = 'AIChatAgent';
export const PLAIN = 'plain Node, SQLite';
export const BARE_EACH = 'bare object, each token';
export const BARE_PACED = 'bare object, reads of 1 KB';
export const BARE_WHOLE = 'bare object, whole answer';
/** Without Miniflare's own workers before and behind it, which Switchboard's local server goes without, too. */
export const BARE_DIRECT = 'bare object, whole answer, direct';
export const SUBJECTS = [OWN, AI_CHAT, PLAIN, BARE_EACH, BARE_WHOLE, BARE_DIRECT] as const;
export type Subject = (typeof SUBJECTS)[number];

/** How users come to a peer, and what it has kept of them. */
export interface PeerKind {
  connect(this: void, url: string, name: string): Promise<SocketUser>;
  history(this: void, url: string, name: string): Promise<Told[]>;
}

export const AI_CHAT_KIND: PeerKind = { connect: AiChatUser.connect, history: AiChatUser.history };
export const PLAIN_KIND: PeerKind = { connect: PlainUser.connect, history: PlainUser.history };

/** Histories are asked for one after the other: these show what the others would. */
export const CHECKED_USERS = 20;

export function peerTarget(server: PeerServer, model: Started, { connect, history }: PeerKind): Target<SocketUser> {
  return {
    serverPid: server.pid,
    modelPid: model.pid,
    connect: (round, number) => connect(server.url, `user-${round}-${number}`),
    check: async (users, exchanges) => {
      let counts = NO_COUNTS;
      // By name, since users connect several at a time and need not stand in the order of their numbers.
      for (const [index, { name }] of users.slice(0, CHECKED_USERS).entries()) {
        counts = addCounts(counts, countRecorded(exchanges[index] ?? [], await history(server.url, name)));
      }
      return counts;
    },
  };
}

export type RunRound = (timings: Timings, options: RoundOptions) => Promise<Round>;

/** Starts all of them; they end with the lab, or by `lab.end` of what is returned in `started`. */
export async function startAll(lab: Lab, model: Started) {
  const state = lab.state.path;
  const bare = await lab.keep(startBareObject(model.url));
  const direct = await lab.keep(startBareObject(model.url, { direct: true }));
  const own = await lab.switchboard(model);
  const aiChat = await lab.keep(AiChatServer.start(model.url, state));
  const plain = await lab.keep(PlainServer.start(model.url, state));
  const ownTarget = await SwitchboardTarget.of(own, model, lab.signal);
  const run =
    <User extends LoadUser>(target: Target<User>): RunRound =>
    (timings, options) =>
      runRound(target, timings, options);
  const rounds: Record<Subject, RunRound> = {
    [OWN]: run(ownTarget),
    [AI_CHAT]: run(peerTarget(aiChat, model, AI_CHAT_KIND)),
    [PLAIN]: run(peerTarget(plain, model, PLAIN_KIND)),
    [BARE_EACH]: run(bareTarget(bare, model, 'each')),
    [BARE_WHOLE]: run(bareTarget(bare, model, 'whole')),
    [BARE_DIRECT]: run(bareTarget(direct, model, 'whole')),
  };
  return { rounds, takeStored: () => ownTarget.takeStored(), started: [plain, aiChat, own, direct, bare] };
}

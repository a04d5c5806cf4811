/** Bots that talk at once, each with a user of its own: what of memory and processor each of them takes. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Lab } from '../lab/lab.ts';
import { measurePhase, talkSeconds, type Bench, type Phase } from '../measure/phase.ts';
import { processorSeconds, residentBytes } from '../processes.ts';
import type { StartedModel, SwitchboardServer } from '../lab/servers.ts';
import { Fleet } from './fleet.ts';

/** Of each user: the reports' bots answer about one message in two seconds. */
const MESSAGES_PER_MINUTE_EACH = 30;
/** Talk before anything is measured, so that what the runtime needs once is not counted for the first bots. */
const WARM_UP_USERS = 20;
const WARM_UP_SECONDS = 3;
const WARM_UP_PER_MINUTE = 6_000;
/** User numbers that no step reaches. */
const WARM_UP_FIRST = 100_000;

export interface Talking {
  bots: number;
  phase: Phase;
  /** The server's growth since there were no bots, for each bot; null where it cannot be known. */
  bytesEach: number | null;
  /** Of one core, while they talk. */
  processorPercent: number | null;
}

export interface TalkingPlan {
  steps: readonly number[];
  seconds: number;
  operatorToken: string;
}

export async function measureTalking(
  lab: Lab,
  model: StartedModel,
  { steps, seconds, operatorToken }: TalkingPlan,
): Promise<Talking[]> {
  const server = await lab.switchboard(model, { variables: { OPERATOR_TOKEN: operatorToken } });
  const most = Math.max(...steps);
  const generators = await lab.generators({
    url: server.url,
    users: most,
    messagesPerSecond: (most * MESSAGES_PER_MINUTE_EACH) / 60,
    options: { record: 0, bots: most },
  });
  const bench: Bench = {
    lab,
    generators,
    model,
    serverPids: () => (server.pid === null ? [] : [server.pid]),
    counters: async () => null,
    tally: { sent: 0, answered: 0, failed: 0 },
  };
  const fleet = new Fleet(server.url, operatorToken);
  await warmUp(lab, server, model);
  const bytesBefore = server.pid === null ? null : residentBytes(server.pid);
  const talking: Talking[] = [];
  for (const bots of steps) {
    lab.progress(`launching ${bots} bots`);
    const first = fleet.size;
    await fleet.grow(bots);
    await generators.connect({ first, end: bots });
    const phase = await measurePhase(bench, {
      name: `${bots} bots`,
      first: 0,
      end: bots,
      seconds,
      messagesPerMinute: bots * MESSAGES_PER_MINUTE_EACH,
    });
    const { serverBytesPeak, processor } = phase.usage;
    const grown = bytesBefore === null || serverBytesPeak === null ? null : serverBytesPeak - bytesBefore;
    talking.push({
      bots,
      phase,
      bytesEach: grown === null ? null : grown / bots,
      processorPercent: processor.server === null ? null : (processor.server / talkSeconds(phase)) * 100,
    });
  }
  fleet.close();
  await lab.end(generators);
  await lab.end(server);
  return talking;
}

/** Users of the default bot, through generators of their own. */
async function warmUp(lab: Lab, server: SwitchboardServer, model: StartedModel): Promise<void> {
  lab.progress('warming up');
  const range = { first: WARM_UP_FIRST, end: WARM_UP_FIRST + WARM_UP_USERS };
  const generators = await lab.generators({
    url: server.url,
    users: WARM_UP_USERS,
    messagesPerSecond: WARM_UP_PER_MINUTE / 60,
    options: { record: 0 },
  });
  await generators.connect(range);
  await generators.talk({ ...range, seconds: WARM_UP_SECONDS, messagesPerMinute: WARM_UP_PER_MINUTE });
  await lab.end(generators);
  await model.take();
}

/** What the server does while nobody asks it anything, in percent of one core; null where it cannot be known. */
export async function idlePercent(server: SwitchboardServer, ms: number, signal: AbortSignal): Promise<number | null> {
  const { pid } = server;
  const before = pid === null ? null : processorSeconds(pid);
  const startedAt = performance.now();
  await sleep(ms, undefined, { signal });
  const after = pid === null ? null : processorSeconds(pid);
  const seconds = (performance.now() - startedAt) / 1_000;
  return before === null || after === null ? null : ((after - before) / seconds) * 100;
}

/** Everybody loses the connection in the same moment: once while the network is well, once while it is gone for a while. */
import { monotonicMs } from '../clock.ts';
import { atMost } from '../scenario.ts';
import type { Drill, Stage } from './drill.ts';
import { answeredGate, CLAIMS, connectionGates, figuresOf } from './figures.ts';
import { Latencies } from '../histogram.ts';
import { losses, type Wound } from './outcome.ts';

/** How long nothing can be reached. */
const GONE_MS = 2_000;

export const reconnectStorm = (): Drill => ({
  name: 'reconnect-storm',
  summary: 'all users lose their connections at once, twice',
  users: 300,
  messagesPerMinute: 1_200,
  // The second loss comes when everybody has been live for more than 10 s: it is not to be met with what the first one left.
  seconds: { before: 5, fault: 25, after: 6 },
  front: true,
  fault: async (stage) => [await cutAll(stage), await goAway(stage)],
  judge: (run) => {
    const lost = losses(run.wounds, run.outages);
    const figure = figuresOf('until everybody was live again');
    const allLive = run.wounds.map((wound) => {
      const own = lost.filter((loss) => loss.wound === wound);
      const latencies = Latencies.of(own.map(({ liveAt }) => Math.max(0, liveAt - wound.healedAt)));
      return { wound, latencies, users: own.length };
    });
    return {
      figures: allLive.flatMap(({ wound, latencies, users }) => [
        figure(`${wound.name}: users`, '', users),
        figure(`${wound.name}: half of them`, 'ms', latencies.percentile(50)),
        figure(`${wound.name}: all`, 'ms', latencies.max),
      ]),
      gates: [
        answeredGate(run),
        ...allLive.map(({ wound, latencies }) =>
          atMost(`${wound.name}: all live again after, ms`, latencies.max, CLAIMS.recoveredMs),
        ),
        ...connectionGates(run),
      ],
      notes: [
        'Users come back spread by chance, so that they are no second storm: the first try within 250 ms, later ones ever further apart.',
      ],
    };
  },
});

async function cutAll(stage: Stage): Promise<Wound> {
  const at = monotonicMs();
  const count = stage.front?.reset() ?? 0;
  stage.say(`${count} connections reset at once`);
  await stage.wait(stage.faultMs * 0.6);
  return { name: 'reset', at, healedAt: at };
}

async function goAway(stage: Stage): Promise<Wound> {
  const at = monotonicMs();
  await stage.front?.refuse();
  stage.front?.reset();
  stage.say(`the network is gone for ${GONE_MS / 1_000} s`);
  await stage.wait(GONE_MS);
  await stage.front?.heal();
  const healedAt = monotonicMs();
  await stage.wait(Math.max(0, stage.faultMs * 0.4 - GONE_MS));
  return { name: `gone for ${GONE_MS / 1_000} s`, at, healedAt };
}

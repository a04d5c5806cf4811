/** What tabs show of a wait, looked at while nothing is under way and only time can go on. */
import type { Told } from './history.ts';
import type { Host } from './host.ts';
import { stateOf } from './session-notes.ts';
import type { World } from './world.ts';

/** Longer waits are slept through. */
const LONG_WAIT_MS = 5_000;
/** What runs says so once a second; more where calls fail. */
const BEAT_WITHIN_MS = 5_000;

export function noteQuiet(world: World): void {
  // The model may be about to speak: what it says next changes no wait.
  if (world.happenings().some(({ label }) => label !== 'model')) return;
  for (const host of world.hosts) {
    if (world.bots.isFree(host)) continue;
    noteSilentRun(world, host);
    const { process, notes } = host;
    const told = lastTold(host);
    if (!process || told === null || told.isLate || world.bots.isBusy(process)) continue;
    const expected = describeWait(told);
    for (const { client, links, name } of world.pages.filter((page) => page.host === host)) {
      const { connection, queue } = client.view;
      if (connection !== 'live' || links.some(({ silent, clientOpen }) => silent && clientOpen)) continue;
      const wait = queue.running?.wait;
      const shown = wait ? `${wait.reason} ${wait.place}` : '-';
      if (shown !== '-' || expected !== '-') notes.waits.push({ tab: name, shown, told: expected });
    }
    if (told.answer.do !== 'wait' || told.answer.callAgainMs < LONG_WAIT_MS) continue;
    const until = told.at + told.answer.callAgainMs;
    if (world.timeline.hasAt(process, until)) notes.sleepless.push(`${told.answer.reason} ${until}`);
  }
}

/** Whether what runs says that it goes on. */
function noteSilentRun({ timeline, jumps, bots }: World, host: Host): void {
  const { process, notes, beatAt } = host;
  const since = timeline.now - BEAT_WITHIN_MS;
  const ask = notes.asks.at(-1);
  if (!process || ask?.end !== 'open' || ask.boot !== process.bootNumber || bots.isBusy(process)) return;
  if (jumps.some(({ to }) => to >= since) || Math.max(ask.startAt, beatAt) >= since) return;
  notes.mute.push(`${ask.turn}.${ask.attempt}`);
}

/** What this process was told of the turn that runs now; null when it was not, or nobody knows. */
function lastTold(host: Host): Told | null {
  const told = host.notes.told.findLast(({ claim }) => claim !== null);
  if (!told || told.boot !== host.process?.bootNumber) return null;
  // Told to wait, what ran asks anew: until it is answered nothing is known.
  if (told.claim?.phase === 'running' && told.answer.do === 'wait') return null;
  const { running } = stateOf(host);
  // An answer about a turn that is over.
  if (told.claim?.turn !== running?.turn) return null;
  return running && `${running.turn}.${running.attempt}` === told.running ? told : null;
}

function describeWait({ answer }: Told): string {
  return answer.do === 'wait' ? `${answer.reason} ${answer.place}` : '-';
}

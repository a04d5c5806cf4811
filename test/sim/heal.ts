/** The end of every run: no more faults, and time to come to rest. What is still open then never ends. */
import { noteQuiet } from './quiet.ts';
import { collect } from './collect.ts';
import type { SimHistory } from './history.ts';
import type { Host } from './host.ts';
import { Browser, openPage } from './page.ts';
import { hasWork } from './session-notes.ts';
import { NO_FAULTS, type World } from './world.ts';

/** Far more than any run needs; a run that needs them all does not come to rest. */
const MAX_STEPS = 6_000;
const IDLE_MS = 20_000;

export interface HealOptions {
  /** Crashes that are still to come do come. */
  crashes: boolean;
  /** Everyone leaves first: the alarm alone has to finish the work. */
  alone: boolean;
  /** A new reader comes at the very end, to a process that has left memory. */
  lateReader: boolean;
  /** Time passes while everybody stays and nothing happens. */
  idle: boolean;
}

export async function heal(world: World, browsers: readonly Browser[], options: HealOptions): Promise<SimHistory[]> {
  world.note('HEAL');
  world.faults = NO_FAULTS;
  if (!options.crashes) world.crashAt = [];
  world.d1.down = false;
  world.bots.heal();
  for (const host of world.hosts) host.skewMs = 0;
  for (const browser of browsers) browser.skewMs = 0;
  // Half of those who say anything stay, and never return what they read.
  for (const { link } of world.raws) if (world.chance.is(0.5)) link.clientEnd.close();
  let rested = true;
  if (options.alone) {
    for (const page of world.pages) page.drop();
    rested = await rest(world);
  }
  for (const browser of browsers) {
    if (browser.pages.length === 0) openPage(world, hostOf(world, browser), browser);
  }
  rested = (await rest(world)) && rested;
  const idle = { writes: 0, wakes: 0 };
  if (rested && options.idle) Object.assign(idle, await stayIdle(world));
  if (rested && options.lateReader) {
    for (const host of world.hosts) if (host.idle) host.hibernate();
    openPage(world, world.host, new Browser('late'));
    rested = await rest(world);
  }
  const histories: SimHistory[] = [];
  for (const host of world.hosts) histories.push(await collect(world, host, rested, idle));
  return histories;
}

/** Which session a browser is about is told by its name. */
export function hostOf(world: World, browser: Browser): Host {
  return world.hosts.find(({ id }) => browser.name.endsWith(id)) ?? world.host;
}

/** Runs until nothing is left to do but waiting; false when that never comes. */
export async function rest(world: World): Promise<boolean> {
  for (let steps = 0; steps < MAX_STEPS; steps += 1) {
    const next = world.happenings();
    if (next.length > 0) {
      await world.step(world.chance.pick(next));
      continue;
    }
    if (rests(world)) return true;
    noteQuiet(world);
    const moment = world.nextMoment();
    if (!moment) break;
    await world.step(moment);
  }
  for (const host of world.hosts) {
    const timers = host.process ? world.timeline.countOf(host.process) : 0;
    world.note(`NO REST ${host.id}: work ${hasWork(host)}, alarm ${host.alarmDue}, firing ${host.firing !== null}`);
    world.note(`  ${timers} timers, ${host.responses.length} responses, ${world.d1.calls.length} calls`);
  }
  for (const { name, client } of world.pages) {
    const { connection, pending, retryAt } = client.view;
    world.note(`NO REST ${name} ${connection} ${retryAt} ${JSON.stringify(pending)}`);
  }
  return false;
}

function rests(world: World): boolean {
  const quiet = world.hosts.every((host) => {
    // Somebody who waits for an answer over HTTP, for a moment.
    if (host.process && world.timeline.countOf(host.process) > 0) return false;
    return !hasWork(host) && host.alarmDue === null && host.firing === null && host.responses.length === 0;
  });
  if (
    !quiet ||
    world.d1.calls.length > 0 ||
    world.bots.calls.length > 0 ||
    world.speakers.some(({ waiting }) => waiting)
  )
    return false;
  return world.pages.every(({ client: { view }, links }) => {
    // One that does not know yet that its connection is dead.
    if (links.some(({ silent, clientOpen }) => silent && clientOpen)) return false;
    const isOnline = view.connection === 'live' || view.connection === 'closed';
    return isOnline && (view.connection === 'closed' || view.pending.every(({ refused }) => refused !== null));
  });
}

async function stayIdle(world: World): Promise<{ writes: number; wakes: number }> {
  const { storage, notes } = world.host;
  const [writes, wakes] = [storage.begun, notes.wakes];
  const until = world.timeline.now + IDLE_MS;
  for (;;) {
    const [next] = world.happenings();
    if (next) {
      await world.step(next);
      continue;
    }
    const timer = world.timeline.next();
    if (!timer || timer.at > until) break;
    const moment = world.nextMoment();
    if (moment) await world.step(moment);
  }
  return { writes: storage.begun - writes, wakes: notes.wakes - wakes };
}

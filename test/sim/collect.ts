/** Reads everything about a session that its checker needs, when a run is over. */
import { SessionLog } from '../../src/log/session-log.ts';
import type { LogRecord } from '../../src/protocol/records.ts';
import { MAX_BAD_FRAMES, MAX_FRAMES_AT_ONCE, MAX_QUEUE_LENGTH } from '../../src/protocol/limits.ts';
import type { Message } from '../../src/protocol/transcript.ts';
import type { ViewAtRest } from '../support/history-checker.ts';
import type { Flight, Rest, SimHistory } from './history.ts';
import { ALL_BOTS } from './bot-names.ts';
import { leaseOf } from './check-bots.ts';
import type { Host } from './host.ts';
import type { Page } from './page.ts';
import { hexOf } from './session-notes.ts';
import type { World } from './world.ts';

const ALL = Number.MAX_SAFE_INTEGER;
/** Far more than any run writes. */
const MAX_PAGES = 200;

export async function collect(
  world: World,
  host: Host,
  rested: boolean,
  idle: { writes: number; wakes: number },
): Promise<SimHistory> {
  const { notes, storage, id } = host;
  const port = storage.port(() => {});
  const log = SessionLog.open(port);
  const removed = !log || log.session().removed;
  const records = removed ? (notes.erased ?? []) : log.after(0, ALL / 2, ALL);
  for (const { kind } of records) world.count(`${kind} records`);
  const pages = world.pages.filter((page) => page.host === host);
  const atRest = rested && !removed;
  const views = atRest ? await readViews(host, pages) : [];
  return {
    session: {
      session: id,
      log: records,
      clients: notes.recordings,
      acknowledged: notes.acknowledged,
      atRest,
      rows: atRest ? world.d1.rows(id) : null,
      pages: atRest ? readPages(host, world.chance.pick([4, 50, 50])) : null,
      views,
    },
    removed,
    leftovers: removed && rested ? leftovers(world, host) : [],
    readOn: notes.readOn,
    asks: notes.asks,
    handled: notes.handled,
    wanted: notes.wanted,
    anchors: removed ? [] : notes.anchors,
    hashes: removed ? [] : storage.read('SELECT hash FROM log ORDER BY seq').map((row) => hexOf(row['hash'])),
    chain: removed ? null : describeBreak(log),
    state: removed ? null : log.lastState(),
    wakes: notes.wakeSamples,
    shown: notes.shown,
    queues: notes.queues,
    delivered: notes.delivered,
    rest: rested ? restOf(world, host, pages, records, idle) : null,
    bots: {
      isFree: world.bots.isFree(host),
      told: notes.told,
      slots: slotsOf(world),
      flights: flightsOf(world),
      jumps: world.jumps,
      known: world.bots.isFree(host) ? [] : ALL_BOTS,
      missed: notes.missed,
      waits: notes.waits,
      ends: notes.ends,
      sleepless: notes.sleepless,
      mute: notes.mute,
    },
    faults: notes.faults,
    spared: host !== world.host && world.bots.isFree(host),
    queueLimit: MAX_QUEUE_LENGTH,
    frameBurst: MAX_FRAMES_AT_ONCE,
    badFrameLimit: MAX_BAD_FRAMES,
  };
}

function slotsOf({ bots }: World): Record<string, number> {
  const slots: Record<string, number> = {};
  for (const id of ALL_BOTS) {
    const count = bots.slotsOf(id);
    if (count !== null) slots[id] = count;
  }
  return slots;
}

/** Every generation of every session at every bot. */
function flightsOf({ bots, hosts }: World): Flight[] {
  if (bots.free) return [];
  const own = hosts
    .filter((host) => !bots.isFree(host))
    .flatMap(({ id, notes }) =>
      notes.asks
        .filter(({ end }) => end !== 'unsent')
        .map((ask): Flight => {
          const { bot, turn, attempt, startAt, endAt } = ask;
          return { bot, who: `${id} ${turn}.${attempt}`, startAt, endAt, ...leaseOf(ask, notes.told) };
        }),
    );
  // Within a millisecond one may end, and the next begin: who ended first was there first.
  return [...own, ...bots.flights].toSorted(
    (one, other) => one.startAt - other.startAt || (one.endAt ?? Infinity) - (other.endAt ?? Infinity) || 0,
  );
}

function describeBreak(log: SessionLog): string | null {
  const found = log.verify();
  return found && `${found.seq}: ${found.reason}`;
}

async function readViews(host: Host, pages: readonly Page[]): Promise<ViewAtRest[]> {
  // Older pages come over HTTP, which wakes the object.
  host.enter('read', () => {});
  const views: ViewAtRest[] = [];
  for (const { client, name } of pages) {
    for (let more = 0; more < MAX_PAGES && client.view.olderBefore !== null; more += 1) await client.loadOlder();
    const { messages, olderBefore } = client.view;
    views.push({ name, messages, olderBefore });
  }
  return views;
}

function readPages(host: Host, limit: number): Message[] {
  const all: Message[] = [];
  let before: number | null = ALL;
  host.enter('read', ({ runtime }) => {
    // As many pages as there can be: those of a broken house need not end.
    for (let pages = 0; runtime && before !== null && pages < MAX_PAGES; pages += 1) {
      const page = runtime.page(before, limit);
      all.unshift(...page.messages);
      before = page.nextBefore;
    }
  });
  return all;
}

function leftovers(world: World, host: Host): string[] {
  const found: string[] = [];
  if (world.d1.has(host.id)) found.push('the session in D1');
  if (host.storage.hasTables()) found.push('tables in the object');
  return found;
}

function restOf(
  world: World,
  host: Host,
  pages: readonly Page[],
  log: readonly LogRecord[],
  idle: { writes: number; wakes: number },
): Rest {
  const unsettled: string[] = [];
  for (const { name, client } of pages) {
    const { running, queue, connection } = client.view;
    if (connection === 'closed') continue;
    if (running) unsettled.push(`${name} shows a running answer of turn ${running.turn}`);
    if (queue.running || queue.waiting.length > 0) unsettled.push(`${name} shows a queue`);
  }
  const pending = pages.flatMap(({ client }) =>
    client.view.pending.map(({ id, refused }) => ({ id, refused: refused?.code ?? null })),
  );
  return {
    pending,
    alarm: host.storage.alarm !== null || host.firing !== null,
    timers: host.process ? world.timeline.countOf(host.process) : 0,
    writesWhileIdle: idle.writes,
    wakesWhileIdle: idle.wakes,
    unsettled,
    settings: { stored: world.d1.settings(host.id), logged: settingsOf(log) },
  };
}

function settingsOf(log: readonly LogRecord[]): string {
  let settings = { title: '', archived: false, folder: '', bot: '' };
  for (const record of log) {
    if (record.kind === 'created') settings = { ...settings, title: record.title, bot: record.bot.id };
    if (record.kind !== 'updated') continue;
    const { title = settings.title, archived = settings.archived, folder = settings.folder, bot } = record;
    settings = { title, archived, folder, bot: bot?.id ?? settings.bot };
  }
  return JSON.stringify(settings);
}

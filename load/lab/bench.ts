/** The usual arrangement: the product on a model simulator (or a server that runs already), and users of it. */
import type { BareMode } from '../bare-object/modes.ts';
import { HistoryRows } from '../history-rows.ts';
import type { Bench, Tally } from '../measure/phase.ts';
import type { Integrity } from '../user.ts';
import type { SimulatorOptions } from '../../src/local/simulator/server.ts';
import { BARE_USERS, type Lab } from './lab.ts';
import { startBareObject, type Counters, type SwitchboardOptions, type SwitchboardServer } from './servers.ts';

/** Conversations that are also read over HTTP and compared; all of them would be a load of its own. */
const COMPARED_SESSIONS = 5;

export interface BenchOptions {
  model: SimulatorOptions;
  /** Puts something between server and model, or users and server: returns the address to use instead. */
  beforeModel?: (url: string) => Promise<string>;
  beforeServer?: (url: string) => Promise<string>;
  /** What makes the users; see GeneratorOptions. */
  module?: string;
  /** The most users and messages a second at any time. */
  users: number;
  messagesPerSecond: number;
  server?: Omit<SwitchboardOptions, 'modelUrl' | 'state'>;
  userOptions?: UserOptions;
  /** What is done to a server of the lab's own before there are users of it; returns further options of theirs. */
  prepare?: (url: string, server: SwitchboardServer) => Promise<UserOptions>;
}

type UserOptions = Readonly<Record<string, string | number>>;

/** What is known of the messages when everything is over. */
export interface Settled {
  integrity: Integrity | null;
  /** Messages without an answer or a failure when it was over: their replies are not owed, and nothing is compared. */
  open: number;
  /** Messages that a client and `GET messages` tell differently; null: not compared, since some were still under way. */
  different: number | null;
  /** In D1; null where nobody can look, or some were still under way. */
  rows: { expected: number; found: number } | null;
  /** From the end of the talk until D1 had every row. */
  deliveredMs: number | null;
}

export interface SwitchboardBench extends Bench {
  url: string;
  /** Null: a server that runs elsewhere. */
  server: SwitchboardServer | null;
  /**
   * Waits for the history, compares, kills the server, and holds what was recorded against what it
   * has left. A message that was never answered makes that a check of what is there so far. The users end with it.
   */
  settle(): Promise<Settled>;
}

/** Starts everything but the users. With `--url` the server is that one, on whatever model it has. */
export async function switchboardBench(lab: Lab, options: BenchOptions): Promise<SwitchboardBench> {
  const { users, messagesPerSecond, userOptions = {} } = options;
  const { url: remote } = lab.options;
  lab.progress('starting the servers');
  const model = remote ? null : await lab.model(options.model);
  const { beforeModel = asItIs, beforeServer = asItIs, module } = options;
  const asked = model && { ...model, url: await beforeModel(model.url) };
  const server = asked && (await lab.switchboard(asked, { counting: true, ...options.server }));
  const url = server ? await beforeServer(server.url) : (remote?.origin ?? '');
  const prepared = server && options.prepare ? await options.prepare(url, server) : {};
  const generators = await lab.generators({
    url,
    users,
    messagesPerSecond,
    options: { ...userOptions, ...prepared },
    ...(module === undefined ? {} : { module }),
  });
  const isCounting = server !== null && (options.server?.counting ?? true) && options.server?.entry === undefined;
  const tally: Tally = { sent: 0, answered: 0, failed: 0 };
  return {
    lab,
    url,
    model,
    server,
    generators,
    serverPids: () => (server?.pid == null ? [] : [server.pid]),
    counters: async (): Promise<Counters | null> => (isCounting ? server.counters() : null),
    tally,
    settle: async () => {
      const open = tally.sent - tally.answered - tally.failed;
      const atRest = open === 0;
      lab.progress('waiting for the history, then checking every message');
      const rows = server && new HistoryRows(await server.server.miniflare.getD1Database('DB'));
      const startedAt = performance.now();
      // A message and its answer. What was there before anybody spoke is not known here.
      const expected = atRest && !options.prepare ? tally.sent * 2 : null;
      const found = rows && expected !== null ? await rows.reach(expected, lab.signal) : null;
      const deliveredMs = found === null ? null : performance.now() - startedAt;
      const different = atRest ? await generators.compare(COMPARED_SESSIONS) : null;
      await server?.kill();
      const integrity = await generators.check({ stored: server?.folder ?? null, atRest });
      // They would go on to connect to a server that is gone, beside whatever is measured next.
      await lab.end(generators);
      return {
        integrity,
        open,
        different,
        rows: found === null || expected === null ? null : { expected, found },
        deliveredMs,
      };
    },
  };
}

/**
 * A bare object for the same load, which reads in this mode. It is set up as Switchboard's local server is, without the
 * workers that Miniflare puts before and behind any.
 */
export async function bareBench(
  lab: Lab,
  { model: settings, users, messagesPerSecond }: Pick<BenchOptions, 'model' | 'users' | 'messagesPerSecond'>,
  mode: BareMode = 'each',
): Promise<Bench> {
  const model = await lab.model(settings);
  const { url, pid } = await lab.keep(startBareObject(model.url, { direct: true }));
  return {
    lab,
    generators: await lab.generators({ url, users, messagesPerSecond, module: BARE_USERS, options: { mode } }),
    model,
    serverPids: () => (pid === null ? [] : [pid]),
    counters: async () => null,
    tally: { sent: 0, answered: 0, failed: 0 },
  };
}

async function asItIs(url: string): Promise<string> {
  return url;
}

/** The servers of `servers.ts` as targets of a round. */
import type { BareMode } from './bare-object/modes.ts';
import { BareUser } from './bare-user.ts';
import { addCounts, countRecorded, differences, NO_COUNTS, type Counts } from './check.ts';
import type { Exchange } from './driver.ts';
import { HistoryRows } from './history-rows.ts';
import type { Round, Target } from './round.ts';
import { atMost, type Gate } from './scenario.ts';
import type { Started, SwitchboardServer } from './lab/servers.ts';
import { SwitchboardUser } from './switchboard/user.ts';

/** Conversations that are judged by what the server tells over HTTP; all of them would be a load of its own. */
const SAMPLED_SESSIONS = 20;

export function bareTarget(bare: Started, model: Started, mode: BareMode): Target<BareUser> {
  return {
    serverPid: bare.pid,
    modelPid: model.pid,
    connect: (round, number) => BareUser.connect(bare.url, `${mode} ${round} ${number}`, mode),
  };
}

/** What was found in D1 and over HTTP. */
export interface Stored {
  rowsExpected: number;
  rowsFound: number;
  /** Messages that a client and `GET messages` tell differently. */
  different: number;
}

/** What must hold of all rounds of Switchboard, as its users, its answers over HTTP and D1 tell of them. */
export function roundsGates(group: string, rounds: readonly Round[], stored: Stored): Gate[] {
  const counts = countsOf(rounds);
  return [
    atMost(`${group}: not answered`, counts.sent - counts.answered, 0),
    atMost(`${group}: lost`, counts.lost, 0),
    atMost(`${group}: doubled`, counts.doubled, 0),
    atMost(`${group}: out of order`, counts.outOfOrder, 0),
    atMost(`${group}: altered`, counts.altered, 0),
    atMost(`${group}: told differently over HTTP`, stored.different, 0),
    atMost(`${group}: rows missing in D1 or too many`, Math.abs(stored.rowsExpected - stored.rowsFound), 0),
  ];
}

export function countsOf(rounds: readonly Round[]): Counts {
  return rounds.flatMap(({ counts }) => counts ?? []).reduce(addCounts, NO_COUNTS);
}

export class SwitchboardTarget implements Target<SwitchboardUser> {
  readonly serverPid: number | null;
  readonly modelPid: number | null;
  #stored: Stored = { rowsExpected: 0, rowsFound: 0, different: 0 };
  readonly #url: string;
  readonly #rows: HistoryRows;
  readonly #signal: AbortSignal;

  private constructor(url: string, rows: HistoryRows, pids: [number | null, number | null], signal: AbortSignal) {
    this.#url = url;
    this.#rows = rows;
    [this.serverPid, this.modelPid] = pids;
    this.#signal = signal;
  }

  static async of(switchboard: SwitchboardServer, model: Started, signal: AbortSignal): Promise<SwitchboardTarget> {
    const rows = new HistoryRows(await switchboard.server.miniflare.getD1Database('DB'));
    return new SwitchboardTarget(switchboard.url, rows, [switchboard.pid, model.pid], signal);
  }

  /** What was found since this was asked last. */
  takeStored(): Stored {
    const stored = this.#stored;
    this.#stored = { rowsExpected: 0, rowsFound: 0, different: 0 };
    return stored;
  }

  connect(): Promise<SwitchboardUser> {
    return SwitchboardUser.connect(this.#url);
  }

  /** The history is the server's work too: a round is not over before D1 has every message. */
  async finish(users: readonly SwitchboardUser[]): Promise<void> {
    const expected = users.reduce((sum, { history }) => sum + history.length, 0);
    this.#stored.rowsExpected += expected;
    this.#stored.rowsFound += await this.#rows.reach(expected, this.#signal);
    await this.#rows.skip();
  }

  async check(users: readonly SwitchboardUser[], exchanges: readonly Exchange[][]): Promise<Counts> {
    let counts = NO_COUNTS;
    for (const [index, user] of users.entries()) {
      let told = user.history;
      if (index < SAMPLED_SESSIONS) {
        told = await user.storedHistory();
        this.#stored.different += differences(user.history, told);
      }
      counts = addCounts(counts, countRecorded(exchanges[index] ?? [], told));
    }
    return counts;
  }
}

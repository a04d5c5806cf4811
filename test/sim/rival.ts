/** Another session before the same bot: keeps to the rules, runs a few turns, and now and then dies in one. */
import type { SessionCall, TurnClaim, Verdict } from '../../src/objects/bot-rpc.ts';
import type { Chance } from './chance.ts';
import type { Flight } from './history.ts';
import type { Timeline } from './timeline.ts';

/** A session ends what it generates so long before its lease is over. */
const MARGIN_MS = 1_000;
const RETRY_MS = 1_000;

export interface RivalWorld {
  timeline: Timeline;
  chance: Chance;
  attend(call: SessionCall): Verdict;
}

export class Rival {
  readonly name: string;
  readonly #bot: string;
  readonly #world: RivalWorld;
  readonly #flights: Flight[];
  #flight: Flight | null = null;
  #turn = 1;
  #attempt = 1;
  #left: number;
  #endsAt = 0;
  #revision = -1;

  constructor(name: string, bot: string, turns: number, world: RivalWorld, flights: Flight[]) {
    this.name = name;
    this.#bot = bot;
    this.#world = world;
    this.#flights = flights;
    this.#left = turns;
    this.#later(world.chance.between(0, 1_000));
  }

  /** The bot has news. */
  wake(): void {
    if (this.#left === 0 || this.#flight) return;
    this.#world.timeline.drop(this);
    this.#step();
  }

  #later(ms: number): void {
    this.#world.timeline.after(ms, this, () => this.#step());
  }

  #step(): void {
    const { timeline, chance } = this.#world;
    if (this.#flight && timeline.now >= this.#endsAt) return this.#finish();
    if (this.#flight && chance.is(0.03)) return this.#die();
    const verdict = this.#call({ phase: this.#flight ? 'running' : 'waiting' });
    if (verdict.do === 'go') {
      this.#revision = verdict.revision;
      return this.#goOn(verdict.leaseMs, verdict.callAgainMs);
    }
    this.#land();
    if (verdict.do === 'fail') return this.#next();
    if (verdict.do === 'wait') this.#later(Math.min(5_000, verdict.callAgainMs));
  }

  #goOn(leaseMs: number | null, callAgainMs: number): void {
    const { timeline, chance } = this.#world;
    const dueAt = leaseMs === null ? null : timeline.now + leaseMs - MARGIN_MS;
    if (!this.#flight) {
      this.#flight = { bot: this.#bot, who: this.name, startAt: timeline.now, endAt: null, dueAt, isSkewed: false };
      this.#flights.push(this.#flight);
      this.#endsAt = timeline.now + chance.between(200, 5_000);
    }
    this.#flight.dueAt = dueAt;
    this.#later(Math.min(callAgainMs, Math.max(1, this.#endsAt - timeline.now)));
  }

  #finish(): void {
    const [turn, attempt] = [this.#turn, this.#attempt];
    this.#land();
    const times = { waitedMs: 0, firstTokenMs: 1, totalMs: 1, overheadMs: null };
    this.#call(null, [{ turn, attempt, outcome: 'reply', promptTokens: 1, answerTokens: 1, ...times }]);
    this.#next();
  }

  /** Its process ends; the next one asks under the next attempt. */
  #die(): void {
    this.#land();
    this.#attempt += 1;
    this.#later(this.#world.chance.between(RETRY_MS, 4 * RETRY_MS));
  }

  #land(): void {
    if (this.#flight) {
      this.#flight.endAt = this.#world.timeline.now;
      this.#attempt += 1;
    }
    this.#flight = null;
  }

  #next(): void {
    this.#left -= 1;
    this.#turn += 1;
    this.#attempt = 1;
    if (this.#left > 0) this.#later(this.#world.chance.between(100, 3_000));
  }

  #call(phase: Pick<TurnClaim, 'phase'> | null, ended: SessionCall['ended'] = []): Verdict {
    const claim = phase && { turn: this.#turn, attempt: this.#attempt, priority: 0, progressed: true, ...phase };
    return this.#world.attend({
      session: this.name,
      user: this.name,
      bot: { id: this.#bot, name: '', model: '' },
      claim,
      ended,
      connections: 0,
      rowsWritten: 0,
      undeliveredMs: 0,
      restarts: 0,
      silentCloses: 0,
      revision: this.#revision,
    });
  }
}

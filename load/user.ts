/** What a generator needs of a user, whatever server it is a user of. */
import type { Counts } from './check.ts';

/** What reaches a user, by the id of its message; told after the client has taken the frame in. */
export interface UserEvents {
  acknowledged(id: string): void;
  firstToken(id: string): void;
  /** The answer's end. `problem`: why it is not a whole one; null for a good one. */
  replied(id: string, text: string, problem: string | null): void;
  /** The connection is closed for good: nothing follows. */
  gone(problem: string): void;
}

/** A connection that was lost, on the machine's clock. */
export interface Outage {
  /** The user's client knew it. */
  lostAt: number;
  /** NaN: not live again so far. */
  liveAt: number;
}

export interface LoadUser {
  /** What the server has sent to this user so far. */
  readonly received: { frames: number; characters: number };
  /** Answers to this client's pings; not among what was received. */
  readonly pongs: number;
  /** Whether messages would go out now. */
  readonly live: boolean;
  /** Connections that were opened in all; above 1, it has reconnected. */
  readonly connects: number;
  /** The outages since this was asked last. */
  takeOutages?(): Outage[];
  /** Replaces who is told. */
  listen(events: UserEvents): void;
  /** Sends a message at once; what becomes of it comes as events. */
  send(id: string, text: string): void;
  /** Stops reading from the connection, or goes on. */
  setReading(isReading: boolean): void;
  close(): void;
}

/** What stands in the way of trusting a run, and what was counted in its histories. */
export interface Integrity {
  counts: Counts;
  /** Histories that were held against the rules, and how many of them break one. */
  histories: number;
  violations: number;
  /** The first few. */
  samples: string[];
  /** False: more was said than could be recorded, so the counts are of a part. */
  complete: boolean;
}

export interface CheckRequest {
  /** The server's state folder, the server stopped; null where there is none to look into. */
  stored: string | null;
  /** Nothing was under way any more. */
  atRest: boolean;
}

/** Users of one kind of server, within one generator process. */
export interface UserSource<User extends LoadUser = LoadUser> {
  /** Connects the user with this number, which no other user of the run has. */
  connect(user: number): Promise<User>;
  /** Holds everything that was recorded against what the server has kept. */
  check?(request: CheckRequest): Promise<Integrity>;
  /** Reads as many sessions once more over HTTP; how many messages are told otherwise than by the users' clients. */
  compare?(sessions: number): Promise<number>;
}

/** A module that a generator process loads by its path: `export const createUsers: CreateUsers`. */
export type CreateUsers = (url: string, options: Readonly<Record<string, string | number>>) => UserSource;

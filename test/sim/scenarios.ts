/**
 * Short stories, made systematically: how a session stands, what then happens, and how it goes on. Each
 * is told once without trouble, and again with a crash after every effect that the first telling had.
 */

/** One thing that somebody does; the network and the disk then do what they can at once. */
export type Act =
  | 'send'
  | 'send important'
  | 'send twice'
  | 'send long'
  | 'other sends'
  | 'http send'
  | 'http again'
  | 'burst'
  | 'piece'
  | 'answer'
  | 'model fails'
  | 'model breaks'
  | 'edit'
  | 'cancel'
  | 'stop'
  | 'stop and go on'
  | 'regenerate'
  | 'stale regenerate'
  | 'second tab'
  | 'reload'
  | 'cut'
  | 'half-open'
  | 'late frames'
  | 'd1 down'
  | 'd1 up'
  | 'd1 lies'
  | 'd1 slow'
  | 'd1 late'
  | 'early regenerate'
  | 'wait'
  | 'wait unread'
  | 'wait long'
  | 'alarm early'
  | 'storage fails'
  | 'storage works'
  | 'wait very long'
  | 'hibernate'
  | 'deploy'
  | 'rename'
  | 'remove'
  | 'clock back'
  | 'clock ahead'
  | 'silent reader'
  | 'second hello'
  | 'flood'
  | 'one slot'
  | 'rival'
  | 'bot stops'
  | 'bot launches'
  | 'bot silent'
  | 'bot answers'
  | 'bot crash'
  | 'calls lost'
  | 'told to wait'
  | 'told to fail'
  | 'mention'
  | 'mention nobody'
  | 'lookup lost'
  | 'slow lookups';

export interface Scenario {
  name: string;
  acts: Act[];
  /** Everyone leaves at the end, and the alarm finishes alone. */
  alone: boolean;
  /** Bots are asked for leave; otherwise every turn has it. */
  bots: boolean;
}

const STANDS: Readonly<Record<string, Act[]>> = {
  new: [],
  answering: ['send', 'piece'],
  queued: ['send', 'send', 'send', 'piece'],
  answered: ['send', 'answer'],
};

const EVENTS: Readonly<Record<string, Act[]>> = {
  send: ['send', 'answer'],
  'send twice': ['send twice', 'answer'],
  'an important message': ['send', 'send important', 'answer', 'answer'],
  'a message by HTTP, and again': ['http send', 'http again', 'answer'],
  burst: ['burst', 'answer'],
  edit: ['send', 'edit', 'answer'],
  cancel: ['send', 'send', 'cancel', 'answer'],
  stop: ['send', 'piece', 'stop', 'answer'],
  'stop while it speaks on': ['send', 'piece', 'stop and go on', 'send', 'answer'],
  regenerate: ['answer', 'regenerate', 'piece', 'answer'],
  'a stale regenerate': ['answer', 'other sends', 'answer', 'stale regenerate'],
  'a second tab': ['second tab', 'send', 'other sends', 'piece', 'answer'],
  resume: ['send', 'piece', 'cut', 'piece', 'wait', 'answer'],
  reload: ['send', 'piece', 'reload', 'piece', 'answer'],
  'half-open': ['half-open', 'send', 'answer', 'wait long'],
  'late frames': ['late frames', 'send', 'piece', 'answer', 'wait'],
  'a reader that returns nothing': ['silent reader', 'burst', 'answer', 'answer', 'burst', 'answer', 'answer'],
  'a client that says too much': ['silent reader', 'second hello', 'flood', 'send', 'answer'],
  'D1 down': ['d1 down', 'send', 'answer', 'wait', 'd1 up'],
  'D1 that lies': ['d1 lies', 'send', 'answer', 'wait', 'wait'],
  'model failure': ['send', 'piece', 'model fails', 'send', 'answer'],
  'a fault of ours': ['send', 'piece', 'model breaks', 'send', 'answer'],
  hibernation: ['answer', 'wait long', 'hibernate', 'send', 'answer'],
  deployment: ['send', 'piece', 'deploy', 'wait', 'answer'],
  'an early alarm': ['send', 'alarm early', 'piece', 'answer', 'wait'],
  'a clock set back': ['send', 'clock back', 'piece', 'answer', 'wait'],
  'a clock set ahead': ['send', 'clock ahead', 'piece', 'answer', 'wait'],
  rename: ['rename', 'send', 'answer'],
  'removal while somebody waits': ['http send', 'remove', 'wait long'],
  removal: ['send', 'remove', 'wait'],
  'removal while the storage fails': ['storage fails', 'remove', 'wait very long', 'storage works'],
  'a regenerate from the future': ['answer', 'early regenerate', 'answer'],
  'a delivery that comes late': [
    ...(['wait', 'send', 'send', 'edit', 'd1 slow', 'wait', 'deploy', 'd1 late', 'wait'] as const),
    ...(['cancel', 'wait long', 'd1 up', 'wait'] as const),
  ],
  'removal while D1 is down': ['wait', 'd1 down', 'remove', 'wait', 'd1 up'],
  'removal while D1 is slow': ['d1 slow', 'rename', 'send', 'rename', 'remove', 'd1 up', 'wait'],
  'a message to a deleted session': [
    'd1 down',
    'late frames',
    'remove',
    'wait unread',
    'hibernate',
    'send',
    'wait',
    'd1 up',
  ],
};

/** What bots do; each begins with real bots instead of one that lets everyone begin at once. */
const WITH_BOTS: Readonly<Record<string, Act[]>> = {
  'leave without limits': ['send', 'send', 'answer', 'wait', 'answer', 'send', 'answer'],
  'a line': ['one slot', 'rival', 'wait', 'send', 'send', 'answer', 'wait long', 'answer', 'wait', 'answer'],
  'a stop while it waits': ['one slot', 'rival', 'wait', 'send', 'send', 'stop', 'wait long', 'answer'],
  'a stopped bot': ['bot stops', 'send', 'wait long', 'hibernate', 'wait very long', 'bot launches', 'wait', 'answer'],
  'a bot that is stopped in the middle': ['send', 'piece', 'bot stops', 'wait long', 'bot launches', 'send', 'answer'],
  'a bot that is silent': ['bot silent', 'send', 'burst', 'wait long', 'bot answers', 'wait long', 'answer', 'answer'],
  'a lease that is lost': [
    ...([
      'one slot',
      'send',
      'piece',
      'bot silent',
      'wait long',
      'bot answers',
      'wait long',
      'piece',
      'answer',
    ] as const),
  ],
  'a stop after the lease is lost': [
    ...(['one slot', 'send', 'piece', 'bot silent', 'wait long', 'stop', 'bot answers', 'wait'] as const),
  ],
  'told to wait': ['send', 'piece', 'told to wait', 'wait', 'piece', 'told to wait', 'wait long', 'answer'],
  'told to fail': ['send', 'piece', 'told to fail', 'wait', 'send', 'answer'],
  'a bot that dies': ['one slot', 'send', 'piece', 'bot crash', 'wait', 'piece', 'bot crash', 'wait', 'answer'],
  'calls that are lost': ['one slot', 'calls lost', 'send', 'wait', 'piece', 'wait long', 'answer', 'wait'],
  'a process that ends in the line': [
    'one slot',
    'rival',
    'wait',
    'send',
    'deploy',
    'wait',
    'deploy',
    'wait long',
    'answer',
  ],
  'a mention': ['mention', 'answer', 'mention nobody', 'answer', 'mention', 'deploy', 'wait', 'answer'],
  'a lease that is lost to another': [
    ...([
      'one slot',
      'send',
      'piece',
      'rival',
      'bot silent',
      'wait long',
      'bot answers',
      'wait long',
      'answer',
    ] as const),
  ],
  'an answer that takes long': ['send', 'piece', 'wait long', 'piece', 'wait long', 'answer'],
  'a slow look-up after the process ended': [
    ...(['slow lookups', 'mention', 'wait long', 'piece', 'deploy', 'wait long', 'piece', 'answer'] as const),
  ],
  'a tab that is behind when the turn waits': [
    ...(['send', 'piece', 'bot stops', 'late frames', 'send long', 'told to wait', 'wait unread', 'wait'] as const),
    ...(['bot launches', 'wait', 'answer', 'answer', 'answer'] as const),
  ],
  'a name that nobody looks up': ['lookup lost', 'mention', 'wait long', 'answer', 'wait'],
};

export function scenarios(): Scenario[] {
  const list: Scenario[] = [];
  for (const [event, acts] of Object.entries(WITH_BOTS)) {
    list.push({ name: `bots: ${event}`, acts, alone: list.length % 2 === 1, bots: true });
  }
  for (const [stand, before] of Object.entries(STANDS)) {
    for (const [event, acts] of Object.entries(EVENTS)) {
      // Every other one ends with everyone gone.
      list.push({ name: `${stand}: ${event}`, acts: [...before, ...acts], alone: list.length % 2 === 1, bots: false });
    }
  }
  return list;
}

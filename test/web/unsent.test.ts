import { describe, expect, test } from 'vitest';
import type { SessionClient, SessionView } from '../../src/client/types.ts';
import type { TextStore } from '../../src/web/state/ports.ts';
import { createUnsent } from '../../src/web/state/unsent.ts';

const WAITING = [{ id: 'a', text: 'x', priority: 0, at: 1, refused: null }];
const GONE = { code: 'session_not_found', message: 'There is no such session.' } as const;

class FakeClient implements SessionClient {
  view: SessionView;
  closed = false;
  private listener: ((view: SessionView) => void) | null = null;

  constructor(session: string, waiting: boolean, connection: SessionView['connection'] = 'waiting') {
    this.view = {
      connection,
      retryAt: null,
      session,
      title: '',
      archived: false,
      bot: null,
      messages: [],
      olderBefore: null,
      running: null,
      queue: { running: null, waiting: [] },
      pending: waiting ? WAITING : [],
      tabs: 1,
      othersTyping: false,
      lastError: null,
    };
  }
  subscribe(listener: (view: SessionView) => void): () => void {
    this.listener = listener;
    return () => (this.listener = null);
  }
  change(part: Partial<SessionView>): void {
    this.view = { ...this.view, ...part };
    this.listener?.(this.view);
  }
  close(): void {
    this.closed = true;
  }
  send = () => Promise.resolve('');
  edit = () => Promise.resolve();
  cancel = () => Promise.resolve();
  loadOlder = () => Promise.resolve();
  stop(): void {}
  regenerate(): void {}
  typing(): void {}
  wake(): void {}
}

function setUp(remembered: string | null = null) {
  const kept = new Map<string, string>(remembered === null ? [] : [['switchboard.unsent', remembered]]);
  const store: TextStore = {
    get: (key) => kept.get(key) ?? null,
    set: (key, value) => void (value === null ? kept.delete(key) : kept.set(key, value)),
  };
  const opened: FakeClient[] = [];
  const openClient = (session: string) => {
    const client = new FakeClient(session, false, 'connecting');
    opened.push(client);
    return client;
  };
  const erased: string[] = [];
  const erase = (session: string) => {
    erased.push(session);
    return Promise.resolve();
  };
  return { unsent: createUnsent({ openClient, store }, erase), kept, opened, erased };
}

describe('messages of chats that are not looked at', () => {
  test('a chat with nothing to send is closed at once', () => {
    const client = new FakeClient('s1', false);
    setUp().unsent.keep(client);
    expect(client.closed).toBe(true);
  });

  test('one with something to send stays connected until it is acknowledged', () => {
    const client = new FakeClient('s1', true);
    setUp().unsent.keep(client);
    client.change({ connection: 'live' });
    expect(client.closed).toBe(false);
    client.change({ pending: [] });
    expect(client.closed).toBe(true);
  });

  test('is taken back, still open, when its chat is shown again', () => {
    const { unsent } = setUp();
    const client = new FakeClient('s1', true);
    unsent.keep(client);
    expect(unsent.take('s1')).toBe(client);
    client.change({ connection: 'live', pending: [] });
    expect(client.closed).toBe(false);
    expect(unsent.take('s1')).toBeUndefined();
  });

  test('after a reload they are taken up again, and forgotten once sent', () => {
    const { unsent, kept, opened } = setUp('s1 s2');
    unsent.resume('s1');
    expect(opened.map(({ view }) => view.session)).toEqual(['s2']);
    // The outbox may still be loading: an empty one before the first welcome says nothing.
    opened[0]?.change({ connection: 'connecting' });
    expect(opened[0]?.closed).toBe(false);
    opened[0]?.change({ connection: 'live' });
    expect(opened[0]?.closed).toBe(true);
    expect(kept.get('switchboard.unsent')).toBe('s1');
  });

  test('a chat that is gone for good loses its mark and all of its text', async () => {
    const { unsent, kept, opened, erased } = setUp('s1 s2');
    unsent.resume(null);
    opened[0]?.change({ pending: WAITING, connection: 'closed', lastError: GONE });
    await Promise.resolve();
    expect(erased).toEqual(['s1']);
    expect(kept.get('switchboard.unsent')).toBe('s2');
    expect(opened[0]?.closed).toBe(true);
  });

  test('so does the one that is shown', async () => {
    const { unsent, kept, erased } = setUp('s1');
    const client = new FakeClient('s1', true, 'closed');
    client.change({ lastError: GONE });
    unsent.note('s1', client.view);
    await Promise.resolve();
    expect(erased).toEqual(['s1']);
    expect(kept.has('switchboard.unsent')).toBe(false);
  });

  test('any other end keeps both, even before the outbox was read', () => {
    const { unsent, kept, opened, erased } = setUp('s1');
    unsent.resume(null);
    opened[0]?.change({ connection: 'closed', lastError: { code: 'too_many_tabs', message: '' } });
    expect(erased).toEqual([]);
    expect(kept.get('switchboard.unsent')).toBe('s1');
    expect(opened[0]?.closed).toBe(true);
  });

  test('four are connected at once; the others follow as these are done, or are opened before', () => {
    const { unsent, opened } = setUp('s1 s2 s3 s4 s5 s6');
    const names = () => opened.map(({ view }) => view.session);
    unsent.resume(null);
    expect(names()).toEqual(['s1', 's2', 's3', 's4']);
    expect(unsent.take('s5')).toBeUndefined();
    opened[1]?.change({ connection: 'closed', lastError: GONE });
    expect(names()).toEqual(['s1', 's2', 's3', 's4', 's6']);
    opened[0]?.change({ connection: 'live' });
    expect(opened).toHaveLength(5);
  });

  test('one that is deleted from here is let go of, and not taken up any more', async () => {
    const { unsent, kept, opened, erased } = setUp('s1 s2 s3 s4 s5');
    unsent.resume(null);
    unsent.forget('s5');
    unsent.forget('s1');
    await Promise.resolve();
    expect(opened[0]?.closed).toBe(true);
    expect(opened).toHaveLength(4);
    expect(erased).toEqual(['s5', 's1']);
    expect(kept.get('switchboard.unsent')).toBe('s2 s3 s4');
  });
});

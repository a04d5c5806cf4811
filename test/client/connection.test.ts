import { describe, expect, test } from 'vitest';
import { EARLY_TRIES, FIRST_RETRY_MS, MAX_EARLY_RETRY_MS, MAX_RETRY_MS } from '../../src/client/backoff.ts';
import { STABLE_AFTER_MS, WAKE_PROBE_TIMEOUT_MS, WELCOME_TIMEOUT_MS } from '../../src/client/connection.ts';
import {
  CREDIT_STEP_BYTES,
  PING_INTERVAL_MS,
  PROTOCOL_VERSION,
  SILENCE_TIMEOUT_MS,
} from '../../src/protocol/limits.ts';
import { PONG_TEXT } from '../../src/protocol/server-frames.ts';
import { CLOSE } from '../../src/protocol/codes.ts';
import { delta, FakeSocket, Harness, message, reply, welcome } from './support/fake-server.ts';
import { settle } from './support/virtual-clock.ts';

describe('hello', () => {
  test('the first frame on a socket is hello, and a client that holds nothing names no place', () => {
    const harness = new Harness();
    harness.socket.onopen?.();
    expect(harness.socket.sent).toEqual([{ type: 'hello', protocol: PROTOCOL_VERSION }]);
    expect(harness.view.connection).toBe('connecting');
  });

  test('after a loss it says the last record and how far each channel of the running answer was read', async () => {
    const harness = new Harness();
    const socket = await harness.live({ seq: 1 });
    socket.record(1, message('a'));
    socket.say({ ...delta(1, 0, 'hm'), channel: 'thinking' });
    socket.say(delta(1, 0, 'Hello'));
    socket.shut(1006);
    await harness.clock.advance(FIRST_RETRY_MS);
    harness.socket.onopen?.();
    expect(harness.socket.sent).toEqual([
      { type: 'hello', protocol: PROTOCOL_VERSION, seq: 1, turn: 1, attempt: 1, offset: 5, thinkingOffset: 2 },
    ]);
  });

  test('a gap in the log or in an answer is a broken connection: the next hello carries what is held', async () => {
    const harness = new Harness();
    const socket = await harness.live({ seq: 1 });
    socket.record(1, message('a'));
    socket.say(delta(1, 0, 'Hel'));
    socket.say(delta(1, 4, 'o'));
    expect(harness.view.connection).toBe('waiting');
    expect(socket.closed).toBe(true);
    await harness.clock.advance(FIRST_RETRY_MS);
    harness.socket.onopen?.();
    expect(harness.socket.of('hello')[0]).toMatchObject({ seq: 1, turn: 1, attempt: 1, offset: 3 });
    harness.socket.say(welcome({ seq: 1, from: 1, queue: { running: { turn: 1, attempt: 1 }, waiting: [] } }));
    harness.socket.say(delta(1, 3, 'lo'));
    expect(harness.view.running?.text).toBe('Hello');
    harness.socket.record(3, reply(1, 'Hello'));
    expect(harness.view.connection).toBe('waiting');
    expect(harness.view.messages).toHaveLength(1);
  });
});

describe('losses', () => {
  test('the first try comes within 250 ms, later ones back off with full jitter up to 10 s', async () => {
    const harness = new Harness();
    harness.clock.chance = 0.999999;
    const waits: number[] = [];
    for (let round = 0; round < EARLY_TRIES + 4; round += 1) {
      harness.socket.shut(1006);
      const { retryAt, connection } = harness.view;
      expect(connection).toBe('waiting');
      waits.push((retryAt ?? 0) - harness.clock.time);
      const opened = harness.sockets.length;
      await harness.clock.advance(waits.at(-1) ?? 0);
      expect(harness.sockets).toHaveLength(opened + 1);
    }
    const early = Array.from({ length: EARLY_TRIES - 2 }, () => MAX_EARLY_RETRY_MS);
    expect(waits.map(Math.round)).toEqual([FIRST_RETRY_MS, 1000, ...early, 4000, 8000, MAX_RETRY_MS, MAX_RETRY_MS]);
    harness.clock.chance = 0;
    harness.socket.shut(1006);
    expect(harness.view.retryAt).toBe(harness.clock.time);
  });

  test('only a connection that lasted starts the backoff anew, so that a welcome-and-close loop slows down', async () => {
    const harness = new Harness();
    harness.clock.chance = 0.999999;
    await harness.live();
    harness.socket.shut(1006);
    await harness.clock.advance(FIRST_RETRY_MS);
    await harness.live();
    harness.socket.shut(1006);
    expect((harness.view.retryAt ?? 0) - harness.clock.time).toBeGreaterThan(FIRST_RETRY_MS);
    await harness.clock.advance(MAX_RETRY_MS);
    await harness.live();
    for (let waited = 0; waited < STABLE_AFTER_MS; waited += 1_000) {
      await harness.clock.advance(1_000);
      harness.socket.onmessage?.({ data: PONG_TEXT });
    }
    harness.socket.shut(1006);
    expect((harness.view.retryAt ?? 0) - harness.clock.time).toBeLessThanOrEqual(FIRST_RETRY_MS);
  });

  test('a socket that is never welcomed is given up', async () => {
    const harness = new Harness();
    harness.socket.onopen?.();
    await harness.clock.advance(WELCOME_TIMEOUT_MS - 1);
    expect(harness.view.connection).toBe('connecting');
    await harness.clock.advance(1);
    expect(harness.view).toMatchObject({ connection: 'waiting', lastError: { code: 'connection' } });
    expect(harness.sockets[0]?.closed).toBe(true);
  });

  test('late events of an old socket never touch the new connection', async () => {
    const harness = new Harness();
    const old = await harness.live();
    const late = { open: old.onopen, message: old.onmessage, close: old.onclose };
    await harness.reconnect();
    const before = harness.view;
    late.message?.({ data: JSON.stringify({ type: 'event', seq: 1, at: 1, ...message('ghost') }) });
    late.message?.({ data: 'not json' });
    late.close?.({ code: CLOSE.sessionNotFound, reason: '' });
    late.open?.();
    expect(harness.view).toBe(before);
    expect(harness.view.connection).toBe('live');
    expect(old.of('hello')).toHaveLength(1);
  });

  test.each([
    ['not JSON', 'x'],
    ['binary', new ArrayBuffer(3)],
    ['an unknown type', '{"type":"other"}'],
    ['a wrong field', '{"type":"ack","id":"a","seq":"1","position":0}'],
  ])('a frame that is %s is a broken connection', async (_, data) => {
    const harness = new Harness();
    const socket = await harness.live();
    socket.onmessage?.({ data });
    expect(harness.view.connection).toBe('waiting');
    expect(socket.closed).toBe(true);
  });

  test('a socket that cannot be opened or written to is a lost connection, not an exception', async () => {
    let fails = true;
    const sockets: FakeSocket[] = [];
    const harness = new Harness({
      openSocket: () => {
        if (fails) throw new Error('no network');
        sockets.push(new FakeSocket());
        return sockets[0] ?? new FakeSocket();
      },
    });
    expect(harness.view).toMatchObject({ connection: 'waiting', lastError: { message: 'no network' } });
    fails = false;
    await harness.clock.advance(FIRST_RETRY_MS);
    sockets[0]?.onopen?.();
    sockets[0]?.say(welcome());
    expect(harness.view).toMatchObject({ connection: 'live', lastError: null });
    if (sockets[0]) sockets[0].broken = true;
    await harness.client.send('a');
    await settle();
    expect(harness.view).toMatchObject({ connection: 'waiting', pending: [{ text: 'a' }] });
  });
});

describe('close codes', () => {
  test.each([
    [CLOSE.unauthorized, 'unauthorized'],
    [CLOSE.sessionNotFound, 'session_not_found'],
    [CLOSE.protocolVersion, 'protocol_version'],
    [CLOSE.tooManyTabs, 'too_many_tabs'],
    [CLOSE.badFrames, 'bad_frame'],
  ])('%i ends the client for good with %s', async (code, error) => {
    const harness = new Harness();
    await harness.live();
    harness.socket.shut(code);
    expect(harness.view).toMatchObject({ connection: 'closed', retryAt: null, lastError: { code: error } });
    harness.client.wake();
    await harness.clock.advance(60_000);
    expect(harness.sockets).toHaveLength(1);
    expect(harness.clock.armed).toBe(0);
    await expect(harness.client.send('late')).rejects.toMatchObject({ code: 'closed' });
  });

  test('the refusal that came before the close says why', async () => {
    const harness = new Harness();
    harness.socket.onopen?.();
    harness.socket.say({ type: 'error', code: 'protocol_version', message: 'Reload.', retryable: false });
    harness.socket.shut(CLOSE.protocolVersion);
    expect(harness.view.lastError).toEqual({ code: 'protocol_version', message: 'Reload.' });
  });

  test.each([1000, 1001, 1006, 1011, CLOSE.goingAway, CLOSE.silent, CLOSE.helloTimeout])(
    '%i means: connect again',
    async (code) => {
      const harness = new Harness();
      await harness.live();
      harness.socket.shut(code);
      expect(harness.view.connection).toBe('waiting');
    },
  );
});

describe('silence', () => {
  test('a live connection is pinged at every interval and one timer is enough', async () => {
    const harness = new Harness();
    const socket = await harness.live();
    for (let round = 1; round <= 5; round += 1) {
      await harness.clock.advance(PING_INTERVAL_MS);
      expect(socket.of('ping')).toHaveLength(round);
      socket.onmessage?.({ data: PONG_TEXT });
      expect(harness.clock.armed).toBe(1);
    }
    expect(harness.view.connection).toBe('live');
  });

  test('nothing heard for the silence timeout is a dead connection', async () => {
    const harness = new Harness();
    const socket = await harness.live();
    await harness.clock.advance(SILENCE_TIMEOUT_MS - 1);
    expect(harness.view.connection).toBe('live');
    await harness.clock.advance(1);
    expect(harness.view.connection).toBe('waiting');
    expect(socket.closed).toBe(true);
  });

  test('any frame counts as a sign of life', async () => {
    const harness = new Harness();
    const socket = await harness.live();
    await harness.clock.advance(SILENCE_TIMEOUT_MS - 1);
    socket.say({ type: 'presence', tabs: 2 });
    await harness.clock.advance(PING_INTERVAL_MS);
    expect(harness.view.connection).toBe('live');
  });

  test('a tab whose timers the browser throttles to one a minute does not lose its connection', async () => {
    const harness = new Harness();
    const socket = await harness.live();
    for (let minute = 0; minute < 3; minute += 1) {
      await harness.clock.sleep(60_000);
      expect(harness.view.connection).toBe('live');
      socket.onmessage?.({ data: PONG_TEXT });
    }
    expect(socket.of('ping')).toHaveLength(3);
  });

  test('while timers are throttled, frames that arrive drive the pings, and no closer than their interval', async () => {
    const harness = new Harness();
    const socket = await harness.live({ seq: 1 });
    const pingedAt = [harness.clock.time];
    // Ten seconds of an answer in which no timer fires: on the server, silence is measured by our pings.
    for (let offset = 0; offset < 100; offset += 1) {
      harness.clock.time += 100;
      const before = socket.of('ping').length;
      socket.say(delta(1, offset, 'x'));
      socket.onmessage?.({ data: PONG_TEXT });
      if (socket.of('ping').length > before) pingedAt.push(harness.clock.time);
    }
    const gaps = pingedAt.slice(1).map((at, index) => at - (pingedAt[index] ?? 0));
    expect(gaps).toEqual([PING_INTERVAL_MS, PING_INTERVAL_MS]);
    // The timer that was late does not add another.
    await harness.clock.sleep(0);
    expect(socket.of('ping')).toHaveLength(2);
    expect(harness.view.connection).toBe('live');
  });

  test('a clock that is set back an hour does not stop the pings', async () => {
    const harness = new Harness();
    const socket = await harness.live();
    const real = harness.clock.now.bind(harness.clock);
    harness.clock.now = () => real() - 3_600_000;
    for (let round = 0; round < 3; round += 1) {
      await harness.clock.advance(PING_INTERVAL_MS);
      socket.onmessage?.({ data: PONG_TEXT });
    }
    expect(socket.of('ping').length).toBeGreaterThanOrEqual(2);
    expect(harness.view.connection).toBe('live');
    await harness.clock.advance(SILENCE_TIMEOUT_MS + PING_INTERVAL_MS);
    expect(harness.view.connection).not.toBe('live');
  });
});

describe('wake', () => {
  test('while waiting it connects at once and starts the backoff anew', async () => {
    const harness = new Harness();
    harness.clock.chance = 0.999999;
    for (let round = 0; round < 5; round += 1) {
      harness.socket.shut(1006);
      await harness.clock.advance(MAX_RETRY_MS);
    }
    harness.socket.shut(1006);
    const opened = harness.sockets.length;
    harness.client.wake();
    expect(harness.sockets).toHaveLength(opened + 1);
    expect(harness.view).toMatchObject({ connection: 'connecting', retryAt: null });
    harness.socket.shut(1006);
    expect((harness.view.retryAt ?? 0) - harness.clock.time).toBeLessThanOrEqual(FIRST_RETRY_MS);
  });

  test('while live it pings at once, and a socket that died in the sleep is noticed within 2 s', async () => {
    const harness = new Harness();
    const socket = await harness.live();
    socket.onmessage?.({ data: PONG_TEXT });
    harness.client.wake();
    harness.client.wake();
    expect(socket.of('ping').length).toBeGreaterThanOrEqual(1);
    await harness.clock.advance(WAKE_PROBE_TIMEOUT_MS);
    expect(harness.view.connection).toBe('waiting');
  });

  test('a live socket that answers the probe stays', async () => {
    const harness = new Harness();
    const socket = await harness.live();
    harness.client.wake();
    await harness.clock.advance(500);
    socket.onmessage?.({ data: PONG_TEXT });
    await harness.clock.advance(WAKE_PROBE_TIMEOUT_MS);
    expect(harness.view.connection).toBe('live');
  });

  test('an attempt from before the sleep is replaced, a fresh one is left alone', async () => {
    const harness = new Harness();
    harness.client.wake();
    expect(harness.sockets).toHaveLength(1);
    await harness.clock.advance(WAKE_PROBE_TIMEOUT_MS);
    harness.client.wake();
    expect(harness.sockets).toHaveLength(2);
    expect(harness.sockets[0]?.closed).toBe(true);
  });
});

describe('credit', () => {
  test('every step of characters read is returned, pongs not counted, a new socket starts from nothing', async () => {
    const harness = new Harness();
    const socket = await harness.live({ seq: 1 });
    socket.record(1, message('a'));
    let received = JSON.stringify(welcome({ seq: 1 })).length;
    received += JSON.stringify({ type: 'event', seq: 1, at: 1, ...message('a') }).length;
    // Two UTF-16 code units and four bytes each: counted as two.
    const text = '😀'.repeat(10_000);
    for (let offset = 0; received < CREDIT_STEP_BYTES; offset += text.length) {
      expect(socket.of('credit')).toEqual([]);
      socket.say(delta(1, offset, text));
      socket.onmessage?.({ data: PONG_TEXT });
      received += JSON.stringify(delta(1, offset, text)).length;
    }
    expect(socket.of('credit')).toEqual([{ type: 'credit', bytes: received }]);
    const next = await harness.reconnect({ seq: 1, from: 1 });
    expect(next.of('credit')).toEqual([]);
  });

  test('the rest of a step is returned with the next ping: a frame nearly as large as the window waits for it', async () => {
    const harness = new Harness();
    const socket = await harness.live();
    await harness.clock.advance(PING_INTERVAL_MS);
    expect(socket.of('credit')).toEqual([{ type: 'credit', bytes: JSON.stringify(welcome()).length }]);
    await harness.clock.advance(PING_INTERVAL_MS);
    expect(socket.of('credit')).toHaveLength(1);
  });
});

describe('close', () => {
  test('ends everything: socket, timers, waiting changes', async () => {
    const harness = new Harness();
    const socket = await harness.live({
      seq: 1,
      queue: { running: null, waiting: [{ turn: 1, id: 'a', priority: 0 }] },
    });
    socket.record(1, message('a'));
    const change = harness.client.cancel('a');
    harness.client.close();
    await expect(change).rejects.toMatchObject({ code: 'closed' });
    expect(socket.closed).toBe(true);
    expect(harness.clock.armed).toBe(0);
    expect(harness.view.connection).toBe('closed');
    await settle();
    expect(harness.views.at(-1)?.connection).toBe('closed');
  });
});

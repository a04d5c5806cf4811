import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import * as z from 'zod/mini';
import { clientFrame } from '../../src/protocol/client-frames.ts';
import {
  decodeClientFrame,
  decodeServerFrame,
  encodeClientFrame,
  encodeServerFrame,
} from '../../src/protocol/codec.ts';
import { CLOSE, REQUEST_ERRORS, shouldReconnect, TURN_ERRORS } from '../../src/protocol/codes.ts';
import * as limits from '../../src/protocol/limits.ts';
import { eventFrame, recordBody } from '../../src/protocol/records.ts';
import { PING_TEXT, PONG_TEXT, serverFrame } from '../../src/protocol/server-frames.ts';
import { byteLength, exceedsBytes } from '../../src/protocol/text.ts';

/** Of version 2. Changing it means a new version, unless the change only adds to what servers say. */
const WIRE_HASH = '28f804b68cf5c527';

test('no wire change is silent', () => {
  const wire = JSON.stringify({
    frames: [clientFrame, serverFrame, recordBody].map((schema) => z.toJSONSchema(schema)),
    codes: [REQUEST_ERRORS, TURN_ERRORS, CLOSE],
    limits,
    texts: [PING_TEXT, PONG_TEXT],
  });
  const hash = createHash('sha256').update(wire).digest('hex').slice(0, 16);
  expect(hash, 'The wire changed: raise PROTOCOL_VERSION, mend PROTOCOL.md, then write the new hash here').toBe(
    WIRE_HASH,
  );
});

describe('decoding', () => {
  test('every client frame survives the way there', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', minLength: 1 }), fc.nat(2), (text, priority) => {
        const frame = { type: 'send' as const, id: 'a.b:c_d-1', text: `x${text}`, priority };
        expect(decodeClientFrame(encodeClientFrame(frame))).toEqual({ ok: true, frame });
      }),
    );
  });

  test('whatever comes, decoding gives a frame or a typed error and never throws', () => {
    const anything = fc.oneof(
      fc.string(),
      fc.json(),
      fc.json({ maxDepth: 8 }),
      fc.uint8Array().map((bytes) => bytes.slice().buffer),
    );
    fc.assert(
      fc.property(anything, (data) => {
        const decoded = decodeClientFrame(data);
        if (!decoded.ok) expect(REQUEST_ERRORS).toContain(decoded.error.code);
        decodeServerFrame(data);
      }),
      { numRuns: 2_000 },
    );
  });

  test('a refused frame names the message it was about, and repeats nothing else of it', () => {
    const decoded = decodeClientFrame('{"type":"send","id":"m1","text":"a secret","colour":"blue"}');
    expect(decoded).toMatchObject({ ok: false, error: { code: 'bad_frame', id: 'm1' } });
    expect(JSON.stringify(decoded)).not.toMatch(/secret|blue|colour/);
  });

  test('clients ignore what newer servers add', () => {
    const delta = { type: 'delta', turn: 1, attempt: 1, offset: 0, text: 'x', channel: 'text' } as const;
    expect(decodeServerFrame(JSON.stringify({ ...delta, colour: 'blue' }))).toEqual({ ok: true, frame: delta });
    expect(encodeServerFrame(delta)).toBe(JSON.stringify(delta));
  });

  test('an event is a record in its place', () => {
    const event = { type: 'event', seq: 1, at: 5, kind: 'cancelled', turn: 3 };
    expect(eventFrame.safeParse(event).success).toBe(true);
    expect(eventFrame.safeParse({ ...event, seq: 0 }).success).toBe(false);
  });
});

test('bytes are counted as UTF-8, whatever the text', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), fc.nat(60), (text, limit) => {
      expect(exceedsBytes(text, limit)).toBe(Buffer.byteLength(text) > limit);
      expect(byteLength(text)).toBe(Buffer.byteLength(text));
    }),
  );
});

test('close codes: one range means connect again, another means do not', () => {
  expect([CLOSE.goingAway, CLOSE.silent, 1006, 1001].map(shouldReconnect)).toEqual([true, true, true, true]);
  expect([CLOSE.sessionNotFound, CLOSE.protocolVersion, CLOSE.badFrames].map(shouldReconnect)).toEqual([
    false,
    false,
    false,
  ]);
});

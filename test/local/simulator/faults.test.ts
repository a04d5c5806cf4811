import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { FAULT_HELP, parseFault } from '../../../src/local/simulator/faults.ts';
import { startSimulator } from '../../../src/local/simulator/server.ts';
import type { Simulator } from '../../../src/local/simulator/server.ts';
import { chat, raw } from './raw.ts';
import type { RawAnswer } from './raw.ts';

let simulator: Simulator;
beforeAll(async () => {
  simulator = await startSimulator();
});
afterAll(() => simulator.close());

function fault(text: string, more: object = {}, leaveAfterMs = 5_000): Promise<RawAnswer> {
  return raw(simulator.url, { body: chat({ fault: text }, more), leaveAfterMs });
}

function fault1(text: string, more: object = {}): Promise<RawAnswer> {
  const body = chat({ fault: text }, { stream: true, ...more });
  return raw(simulator.url, { path: '/v1/chat/completions', body });
}

function parsed(answer: RawAnswer): { done?: boolean; error?: string; message?: { content: string } }[] {
  return answer.lines.map((line) => JSON.parse(line));
}

function dones(answer: RawAnswer): number {
  return parsed(answer).filter((line) => line.done === true).length;
}

describe('instead of an answer', () => {
  test.each([
    [401, { error: 'unauthorized', signin_url: expect.stringContaining('https://') }],
    [429, { error: 'too many requests' }],
    [503, { error: 'server busy, please try again.  maximum pending requests exceeded' }],
  ])("status:%i comes before the first byte with Ollama's body", async (status, body) => {
    const answer = await fault(`status:${status}`);
    expect(answer.status).toBe(status);
    expect(answer.headers.get('content-type')).toBe('application/json; charset=utf-8');
    expect(JSON.parse(answer.body)).toEqual(body);
  });

  test('status takes a text of its own, 403 has no body, /v1 has its own shape', async () => {
    expect(JSON.parse((await fault('status:500:CUDA error: out of memory')).body)).toEqual({
      error: 'CUDA error: out of memory',
    });
    expect((await fault('status:403')).body).toBe('');
    expect(JSON.parse((await fault1('status:404')).body)).toEqual({
      error: { message: expect.any(String), type: 'not_found_error', param: null, code: null },
    });
  });

  test('redirect is a 307, by default to a place that notes who followed', async () => {
    const answer = await fault('redirect');
    expect([answer.status, answer.headers.get('location')]).toEqual([307, '/simulator/elsewhere']);
    const away = await fault('redirect:http://127.0.0.1:9/x');
    expect(away.headers.get('location')).toBe('http://127.0.0.1:9/x');
  });

  test('html is a 200 that is no answer', async () => {
    const answer = await fault('html');
    expect([answer.status, answer.headers.get('content-type')]).toEqual([200, 'text/html; charset=utf-8']);
    expect(answer.body).toContain('<html>');
  });

  test('empty is a 200 of the right type without a body', async () => {
    const answer = await fault('empty');
    expect([answer.status, answer.headers.get('content-type')]).toEqual([200, 'application/x-ndjson']);
    expect(answer.body).toBe('');
  });
});

describe('silence', () => {
  test('no-headers sends nothing at all, and for a time only when asked', async () => {
    const silent = await fault('no-headers', {}, 150);
    expect([silent.status, silent.ending]).toEqual([0, 'open']);
    const late = await fault('no-headers:80');
    expect(late.firstByteMs).toBeGreaterThanOrEqual(75);
    expect(dones(late)).toBe(1);
  });

  test('stall sends headers, then nothing', async () => {
    const answer = await fault('stall', {}, 150);
    expect([answer.status, answer.ending, answer.body]).toEqual([200, 'open', '']);
  });

  test('stall@3 falls silent after three tokens, stall@3:60 goes on after 60 ms', async () => {
    const answer = await fault('stall@3', {}, 150);
    expect([answer.lines.length, answer.ending]).toEqual([3, 'open']);
    const startMs = performance.now();
    const slow = await fault('stall@3:60');
    expect(performance.now() - startMs).toBeGreaterThanOrEqual(55);
    expect([slow.lines.length, dones(slow)]).toEqual([7, 1]);
  });

  test('gap@2:30 pauses after every second token', async () => {
    const startMs = performance.now();
    const answer = await fault('gap@2:30');
    expect(performance.now() - startMs).toBeGreaterThanOrEqual(55);
    expect(answer.writes.length).toBeGreaterThanOrEqual(3);
    expect(dones(answer)).toBe(1);
  });
});

describe('the end comes too early', () => {
  test.each([
    ['cut@2', 2],
    ['cut', 6],
    ['cut@0', 0],
    ['cut@99', 6],
  ])('%s ends the body cleanly after %i tokens without done', async (text, lines) => {
    const answer = await fault(text);
    expect([answer.status, answer.ending]).toEqual([200, 'complete']);
    expect([answer.lines.length, dones(answer)]).toEqual([lines, 0]);
  });

  test.each(['cut-line@2', 'cut-line@99'])('%s ends cleanly inside a line', async (text) => {
    const answer = await fault(text);
    expect(answer.ending).toBe('complete');
    expect(answer.body.endsWith('\n')).toBe(false);
    expect(() => parsed(answer)).toThrow(SyntaxError);
  });

  test('reset@2 is a TCP reset after two tokens have arrived', async () => {
    const answer = await fault('reset@2');
    expect([answer.ending, answer.lines.length]).toEqual(['reset', 2]);
  });

  test('error@2 is a last line with status 200; before the first byte it is a 500', async () => {
    const answer = await fault('error@2:boom');
    expect([answer.status, answer.lines.length, answer.lines.at(-1)]).toEqual([200, 3, '{"error":"boom"}']);
    const early = await fault('error@0:boom');
    expect([early.status, early.body]).toEqual([500, '{"error":"boom"}']);
    expect(early.headers.get('content-type')).toBe('application/json; charset=utf-8');
  });

  test('on /v1 error is an empty chunk without [DONE], error-event an error object', async () => {
    const ollama = await fault1('error@1');
    const last: unknown = JSON.parse(ollama.lines.at(-1)?.replace('data: ', '') ?? '');
    expect(last).toMatchObject({ model: '', choices: [{ delta: { content: '' }, finish_reason: null }] });
    expect(ollama.body).not.toContain('[DONE]');
    const vllm = await fault1('error-event@1:boom');
    expect(JSON.parse(vllm.lines.at(-1)?.replace('data: ', '') ?? '')).toEqual({
      error: { message: 'boom', type: 'api_error', param: null, code: null },
    });
  });

  test('stream:false breaks the one body half-way, and an error has its status', async () => {
    const cut = await fault('cut@2', { stream: false });
    expect([cut.status, cut.ending]).toEqual([200, 'complete']);
    expect(() => JSON.parse(cut.body)).toThrow(SyntaxError);
    expect((await fault('reset@2', { stream: false })).ending).toBe('reset');
    expect((await fault('error@2', { stream: false })).status).toBe(500);
  });
});

describe('odd lines', () => {
  test('garbage@2 is a third line that is not JSON; the answer goes on', async () => {
    const answer = await fault('garbage@2');
    expect(() => JSON.parse(answer.lines[2] ?? '')).toThrow(SyntaxError);
    expect(JSON.parse(answer.lines.at(-1) ?? '')).toMatchObject({ done: true });
  });

  test('blank@2 is an empty line, on /v1 a comment', async () => {
    expect((await fault('blank@2')).body.split('\n')[2]).toBe('');
    expect((await fault1('blank@2')).body).toContain('\n\n: keep-alive\n\n');
  });

  test('huge@1:1000000 is one token of that many bytes', async () => {
    const answer = await fault('huge@1:1000000');
    expect(parsed(answer).map((line) => line.message?.content.length)).toContain(1_000_000);
    expect(dones(answer)).toBe(1);
  });

  test('two-done says done twice, on /v1 [DONE]', async () => {
    expect(dones(await fault('two-done'))).toBe(2);
    expect((await fault1('two-done')).body.match(/\[DONE\]/g)).toHaveLength(2);
  });

  test('no-newline leaves the last line open', async () => {
    const answer = await fault('no-newline');
    expect([answer.body.at(-1), dones(answer)]).toEqual(['}', 1]);
    expect((await fault1('no-newline')).body.endsWith('data: [DONE]')).toBe(true);
  });

  test('crlf ends every line with CRLF', async () => {
    const answer = await fault('crlf');
    expect(answer.body.match(/\r\n/g)).toHaveLength(7);
    expect(answer.body.match(/[^\r]\n/g)).toBeNull();
  });
});

describe('the same bytes, cut elsewhere', () => {
  test('split-bytes writes every byte alone', async () => {
    const answer = await fault('split-bytes', { options: { simulator: { tokens: 2, fault: 'split-bytes' } } });
    expect(new Set(answer.writes.map((write) => write.length))).toEqual(new Set([1]));
    expect(dones(answer)).toBe(1);
  });

  test('split-lines never lets a line arrive in one write', async () => {
    const answer = await fault('split-lines');
    expect(answer.writes.length).toBe(14);
    expect(answer.writes.filter((write) => write.toString().endsWith('\n')).length).toBe(7);
    expect(dones(answer)).toBe(1);
  });

  test('split-utf8 cuts every multi-byte character inside', async () => {
    const answer = await fault('split-utf8');
    const text = parsed(answer).map((line) => line.message?.content);
    expect(text.join('')).toContain('naïve 日本語 🙂 👩‍💻');
    for (const write of answer.writes) {
      const whole = new TextDecoder().decode(write).replaceAll('\uFFFD', '');
      expect(whole).toMatch(/^\p{ASCII}*$/u);
    }
  });

  test('content-type labels the right body wrongly', async () => {
    const answer = await fault('content-type:text/plain');
    expect([answer.headers.get('content-type'), dones(answer)]).toEqual(['text/plain', 1]);
  });

  test('several faults at once', async () => {
    const answer = await fault('split-lines,blank@1,error@2:boom');
    expect(answer.lines.at(-1)).toBe('{"error":"boom"}');
    expect(answer.writes.length).toBeGreaterThan(4);
  });
});

test('faultTimes: 2 lets the third try of the same question through', async () => {
  const statuses: number[] = [];
  for (let index = 0; index < 3; index += 1) {
    const body = chat({ fault: 'status:503', faultTimes: 2 }, { messages: [{ role: 'user', content: 'again?' }] });
    statuses.push((await raw(simulator.url, { body })).status);
  }
  expect(statuses).toEqual([503, 503, 200]);
});

describe('names', () => {
  test('every fault can be parsed by its name and stands in the README', async () => {
    const path = new URL('../../../src/local/simulator/README.md', import.meta.url);
    const readme = await readFile(path, 'utf8');
    for (const [name, { syntax }] of Object.entries(FAULT_HELP)) {
      expect(readme).toContain(`| \`${syntax}\` |`);
      expect(parseFault(name === 'status' ? 'status:500' : name).name).toBe(name);
    }
  });

  test.each([
    '',
    'cutt',
    'cut@x',
    'cut@3:4',
    'status',
    'status:200',
    'status:abc',
    'stall:-1',
    'html@3',
    'huge:9999999999',
  ])('refuses %j', async (text) => {
    expect(() => parseFault(text)).toThrow(/fault/);
  });

  test('a wrong fault in a request is a 400 that names it', async () => {
    const answer = await fault('cutt');
    expect(answer.status).toBe(400);
    expect(answer.body).toContain("unknown fault 'cutt'");
  });
});

/** Memory in use: every isolate of a runtime is asked to collect, and not again before it has. */
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { afterEach, expect, onTestFinished, test, vi } from 'vitest';
import { WebSocketServer } from 'ws';
import * as z from 'zod/mini';
import { Isolates } from '../../load/lab/isolates.ts';
import { SwitchboardServer } from '../../load/lab/servers.ts';
import { InUseWatch } from '../../load/measure/in-use.ts';

const COLLECT = 'HeapProfiler.collectGarbage';
const request = z.object({ id: z.number(), method: z.string() });

/** An inspector of these isolates, which answer when they are told to. */
async function inspectorOf(names: readonly string[]) {
  const asked: string[] = [];
  const open = new Map<string, (() => void)[]>(names.map((name) => [name, []]));
  const address = (): string => {
    const found = http.address();
    return typeof found === 'object' && found ? `ws://127.0.0.1:${found.port}` : '';
  };
  const http = createServer((_, response) => {
    response.end(JSON.stringify(names.map((name) => ({ webSocketDebuggerUrl: `${address()}/${name}` }))));
  });
  new WebSocketServer({ server: http }).on('connection', (socket, { url }) => {
    const name = url?.slice(1) ?? '';
    socket.onmessage = ({ data }) => {
      if (typeof data !== 'string') return;
      const { id, method } = request.parse(JSON.parse(data));
      asked.push(`${name} ${method}`);
      open.get(name)?.push(() => socket.send(JSON.stringify({ id, result: {} })));
    };
  });
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void http.closeAllConnections());
  onTestFinished(() => void http.close());
  return {
    asked,
    url: new URL(address()),
    answer: (name: string) => open.get(name)?.shift()?.(),
  };
}

afterEach(() => vi.useRealTimers());

test('each is asked, and again only when it has collected', async () => {
  const inspector = await inspectorOf(['worker', 'd1']);
  const isolates = await Isolates.connect(inspector.url);
  onTestFinished(() => isolates.stop());
  isolates.collect();
  await expect.poll(() => inspector.asked.toSorted()).toEqual(['d1', 'worker'].map((name) => `${name} ${COLLECT}`));
  inspector.answer('d1');
  // Nothing tells when the answer has come: asking is repeated until it has.
  await expect
    .poll(() => {
      isolates.collect();
      return inspector.asked.slice(2);
    })
    .toEqual([`d1 ${COLLECT}`]);
});

test('the real runtime has an inspector, and its isolates answer', { timeout: 60_000 }, async () => {
  const server = await SwitchboardServer.start({ modelUrl: 'http://127.0.0.1:9', state: tmpdir(), inspectable: true });
  onTestFinished(() => server.stop());
  const isolates = await server.isolates();
  onTestFinished(() => isolates.stop());
  expect(isolates.waiting).toBe(0);
  isolates.collect();
  const { waiting } = isolates;
  expect(waiting).toBeGreaterThan(1);
  // The Worker's own runs when it is asked something.
  await expect
    .poll(
      async () => {
        await fetch(`${server.url}/api/health`);
        return isolates.waiting;
      },
      { timeout: 20_000 },
    )
    .toBeLessThan(waiting);
});

test('memory is looked at when what runs has collected', () => {
  vi.useFakeTimers();
  const collected: number[] = [];
  let bytes: number | null = 5;
  const isolates = { collect: () => void collected.push(performance.now()) };
  const watch = new InUseWatch(isolates, () => bytes, 10);
  vi.advanceTimersByTime(12_000);
  expect(collected).toHaveLength(1);
  expect(watch.end()).toEqual([]);
  vi.advanceTimersByTime(1_500);
  expect(watch.end()).toEqual([[13, 5]]);
});

test('where nobody can look there is no sample', () => {
  vi.useFakeTimers();
  const watch = new InUseWatch({ collect: () => undefined }, () => null, 10);
  vi.advanceTimersByTime(25_000);
  expect(watch.end()).toEqual([]);
});

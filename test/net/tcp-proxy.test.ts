/** The proxy itself: a fault that does not happen would make every test behind it pass for nothing. */
import net from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import type { Faults } from '../support/tcp-lane.ts';
import { TcpProxy } from '../support/tcp-proxy.ts';

const MEGABYTE = 1024 * 1024;

interface Peer {
  socket: net.Socket;
  pieces: Buffer[];
  /** `end` after a FIN, the error's code after anything else. */
  ended: Promise<string>;
}

function peer(socket: net.Socket): Peer {
  const pieces: Buffer[] = [];
  socket.on('data', (piece: Buffer) => pieces.push(piece));
  const ended = new Promise<string>((resolve) => {
    socket.on('end', () => resolve('end'));
    socket.on('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
  });
  onTestFinished(() => void socket.destroy());
  return { socket, pieces, ended };
}

const text = ({ pieces }: Peer): string => Buffer.concat(pieces).toString();
const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

async function until(holds: () => boolean): Promise<void> {
  const deadline = performance.now() + 5_000;
  while (!holds() && performance.now() < deadline) await pause(5);
  expect(holds()).toBe(true);
}

/** A proxy before a server, and a connection through it, looked at from both ends. */
async function connected(faults: Partial<Faults> = {}): Promise<{ proxy: TcpProxy; near: Peer; far: Peer }> {
  const server = net.createServer({ allowHalfOpen: true });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  const address = server.address();
  if (typeof address !== 'object' || address === null) throw new Error('the server has no port');
  const proxy = await TcpProxy.forTest(`http://127.0.0.1:${address.port}`);
  proxy.set(faults);
  const accepted = new Promise<net.Socket>((resolve) => server.once('connection', resolve));
  const near = peer(net.connect(Number(new URL(proxy.url).port), '127.0.0.1'));
  return { proxy, near, far: peer(await accepted) };
}

test('without a fault everything passes, both ways, to the end', async () => {
  const { proxy, near, far } = await connected();
  const much = 'x'.repeat(3 * MEGABYTE);
  near.socket.end(much);
  expect(await far.ended).toBe('end');
  expect(text(far)).toBe(much);
  far.socket.end('back');
  expect(await near.ended).toBe('end');
  expect(text(near)).toBe('back');
  await until(() => proxy.open === 0);
  expect([proxy.forwarded('up'), proxy.forwarded('down')]).toEqual([much.length, 4]);
});

test('latency delays each way, keeps the order, and can be lifted', async () => {
  const { proxy, near, far } = await connected({ latencyMs: 150 });
  const startedAt = performance.now();
  far.socket.on('data', (bytes: Buffer) => void far.socket.write(bytes));
  near.socket.write('a');
  near.socket.write('b');
  await until(() => text(near) === 'ab');
  expect(performance.now() - startedAt).toBeGreaterThanOrEqual(290);
  await proxy.heal();
  const healedAt = performance.now();
  near.socket.write('c');
  await until(() => text(near) === 'abc');
  expect(performance.now() - healedAt).toBeLessThan(150);
});

test('byte by byte: no two bytes come together', async () => {
  const { near, far } = await connected({ pieceBytes: 1 });
  near.socket.write('x'.repeat(200));
  await until(() => text(far).length === 200);
  expect(far.pieces.length).toBeGreaterThan(150);
});

test('throttled to its bandwidth', async () => {
  const { near, far } = await connected({ bytesPerSecond: 50_000 });
  const startedAt = performance.now();
  near.socket.write('x'.repeat(20_000));
  await until(() => text(far).length === 20_000);
  const tookMs = performance.now() - startedAt;
  expect(tookMs).toBeGreaterThan(350);
  expect(tookMs).toBeLessThan(1_500);
});

test('truncated after so many bytes: both ends see an end, and not a byte more', async () => {
  const { proxy, near, far } = await connected();
  far.socket.write('before');
  await until(() => text(near) === 'before');
  proxy.set({ truncateAfterBytes: 10 }, 'down');
  far.socket.write('0123456789abc');
  expect(await near.ended).toBe('end');
  expect(text(near)).toBe('before0123456789');
  await far.ended;
  await until(() => proxy.open === 0);
});

test('reset after so many bytes, and at once', async () => {
  const first = await connected({ resetAfterBytes: 5 });
  first.far.socket.write('0123456789');
  expect(await first.near.ended).toBe('ECONNRESET');
  expect(await first.far.ended).toBe('ECONNRESET');
  expect(text(first.near).length).toBeLessThanOrEqual(5);
  const second = await connected();
  second.proxy.reset();
  expect(await second.near.ended).toBe('ECONNRESET');
  expect(await second.far.ended).toBe('ECONNRESET');
});

test('a blackhole: nothing comes, not even an end, nobody is told; lifted, all of it does', async () => {
  const { proxy, near, far } = await connected({ blackhole: true });
  near.socket.end('hello');
  await pause(100);
  expect([text(far), far.socket.readyState, near.socket.readyState]).toEqual(['', 'open', 'readOnly']);
  await proxy.heal();
  expect(await far.ended).toBe('end');
  expect(text(far)).toBe('hello');
});

test('a stranded connection stays dead, a new one is well', async () => {
  const { proxy, near, far } = await connected();
  proxy.strand();
  await proxy.heal();
  near.socket.write('hello');
  await pause(100);
  expect([text(far), far.socket.readyState, near.socket.readyState]).toEqual(['', 'open', 'open']);
  const again = peer(net.connect(Number(new URL(proxy.url).port), '127.0.0.1'));
  again.socket.end('hi');
  await until(() => proxy.forwarded('up') === 2);
  expect(proxy.acceptedAt).toHaveLength(2);
});

test('a reader that stopped: the sender feels it; reading again, all of it comes', async () => {
  const { proxy, near, far } = await connected();
  proxy.set({ paused: true }, 'up');
  const much = 'x'.repeat(20 * MEGABYTE);
  expect(near.socket.write(much)).toBe(false);
  await pause(200);
  expect(near.socket.writableLength).toBeGreaterThan(0);
  expect(text(far).length).toBeLessThanOrEqual(2 * MEGABYTE);
  await proxy.heal();
  await until(() => text(far).length === much.length);
});

test('refused, while what is open goes on; healed on the same port', async () => {
  const { proxy, near, far } = await connected();
  await proxy.refuse();
  const port = Number(new URL(proxy.url).port);
  expect(await peer(net.connect(port, '127.0.0.1')).ended).toBe('ECONNREFUSED');
  near.socket.write('still');
  await until(() => text(far) === 'still');
  await proxy.heal();
  const again = peer(net.connect(port, '127.0.0.1'));
  again.socket.write('new');
  await until(() => proxy.forwarded('up') === 8);
});

/**
 * A process of its own that starts a lane's runtimes, one after the other. To start a process costs
 * by the size of who starts it: 25 ms of standstill for a test process of 400 MB, 2 ms for this one.
 * And however the tests end, by SIGKILL too, this process's input ends with them: then it takes the
 * runtime and the lane's folder with it.
 *
 * Arguments: the configuration, the folder. Lines in: `begin PORT [FAILPOINT]`, `kill`. Lines out:
 * `ready`, `reached`, `log TEXT`, `ended`.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { rmSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { Readable } from 'node:stream';
import { FAILPOINT_VARIABLE, REACHED } from './failpoints.ts';
import { SOCKET, WORKERD } from './workerd.ts';

const [config = '', folder = ''] = process.argv.slice(2);
let running: ChildProcess | null = null;

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

function begin(port: string, failpoint: string | undefined): void {
  const child = spawn(
    WORKERD,
    ['serve', '--binary', '--experimental', `--socket-addr=${SOCKET}=127.0.0.1:${port}`, '--control-fd=3', config],
    {
      stdio: ['ignore', 'pipe', 'pipe', 'pipe'],
      env: { TZ: 'UTC', ...(failpoint === undefined ? {} : { [FAILPOINT_VARIABLE]: failpoint }) },
    },
  );
  running = child;
  const [, stdout, stderr, control] = child.stdio;
  // "listen" is said once, for the only socket there is.
  if (control instanceof Readable) control.once('data', () => say('ready'));
  for (const stream of [stdout, stderr]) {
    if (!stream) continue;
    createInterface({ input: stream }).on('line', (line) => say(line.includes(REACHED) ? 'reached' : `log ${line}`));
  }
  // Everything it said was read, and its port and files are free.
  child.once('close', () => {
    running = null;
    say('ended');
  });
}

function cleanUp(): void {
  running?.kill('SIGKILL');
  rmSync(folder, { recursive: true, force: true });
  process.exit();
}

// A terminal sends these to everybody at once; the end of the input says when it is time.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => {});
process.stdout.on('error', cleanUp);
createInterface({ input: process.stdin })
  .on('line', (line) => {
    const [command, port = '', failpoint] = line.split(' ');
    if (command === 'begin') begin(port, failpoint);
    else running?.kill('SIGKILL');
  })
  .on('close', cleanUp);

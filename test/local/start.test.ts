import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { startSimulator } from '../../src/local/simulator/server.ts';
import { nodeSql } from '../support/node-sql.ts';
import { freePort, House } from './house.ts';

/** Building, starting the runtime and applying migrations, on a busy machine. */
const START_TIMEOUT_MS = 90_000;
const DAY_MS = 24 * 60 * 60_000;
const JSON_TYPE = { 'content-type': 'application/json' };

function newHouse(): House {
  const house = new House();
  onTestFinished(() => house.close());
  return house;
}

/** Of the local D1, while no server runs on it. */
function historyFile(persist: string): string {
  const folder = join(persist, 'v3/d1/miniflare-D1DatabaseObject');
  const name = readdirSync(folder).find((file) => /^[0-9a-f]+\.sqlite$/.test(file));
  if (name === undefined) throw new Error(`no database in ${folder}`);
  return join(folder, name);
}

async function closedUrl(): Promise<string> {
  return `http://127.0.0.1:${await freePort()}`;
}

describe('a wrong value stops the start with one line that names its variable', () => {
  const LINE = 'IDLE_TIMEOUT_MS must be a whole number of milliseconds from 1 to 3600000\n';

  it.each([
    { command: 'start', place: 'the environment' },
    { command: 'start', place: '.dev.vars' },
    { command: 'start', place: 'wrangler.toml' },
    { command: 'dev', place: '.dev.vars' },
    { command: 'dev', place: 'wrangler.toml' },
  ] as const)('$command, in $place', { timeout: START_TIMEOUT_MS }, async ({ command, place }) => {
    const house = newHouse();
    if (place === '.dev.vars') house.append('.dev.vars', 'IDLE_TIMEOUT_MS=soon');
    if (place === 'wrangler.toml') {
      house.replace('wrangler.toml', 'IDLE_TIMEOUT_MS = "60000"', 'IDLE_TIMEOUT_MS = "soon"');
    }
    const run = house.run(command, ['--port', '0'], place === 'the environment' ? { IDLE_TIMEOUT_MS: 'soon' } : {});
    expect(await run.ended()).toBe(1);
    expect(run.stderr).toBe(LINE);
    expect(run.stdout).not.toContain('Building');
  });

  it.each([
    ['a port that is none', ['--port', 'many'], '--port many is not a port\n'],
    ['an option that there is not', ['--colour'], /^Unknown option '--colour'[^\n]*\n$/],
    ['an address that is none', ['--ollama', 'localhost:11434'], /^OLLAMA_BASE_URL must be an http\(s\) URL[^\n]*\n$/],
  ])('%s', { timeout: START_TIMEOUT_MS }, async (_, args, line) => {
    const run = newHouse().run('start', args);
    expect(await run.ended()).toBe(1);
    expect(run.stderr).toEqual(typeof line === 'string' ? line : expect.stringMatching(line));
  });
});

it('ends when npm is ended, whose shell tells nobody', { timeout: START_TIMEOUT_MS }, async () => {
  const run = newHouse().runByNpm(['--port', '0', '--ollama', await closedUrl()]);
  const [, url = ''] = await run.printed(/Ready on (\S+)/);
  expect((await fetch(`${url}/api/health`)).status).toBe(200);
  run.terminate();
  await run.ended();
  await expect(fetch(`${url}/api/health`)).rejects.toThrow('fetch failed');
});

describe('npm start on a fresh machine', { timeout: START_TIMEOUT_MS }, () => {
  let house: House;
  beforeAll(() => {
    house = new House();
  });
  afterAll(() => house.close());
  const secrets = () => readFileSync(house.path('.dev.vars'), 'utf8');

  it('without an Ollama says that the simulator answers, makes the secrets, and is ready on --port', async () => {
    const [port, ollama] = [await freePort(), await closedUrl()];
    const run = house.run('start', ['--port', String(port)], { OLLAMA_BASE_URL: ollama });
    await run.printed(/^Ready on .*\n/m);
    expect(run.stdout.match(/^Ready on .*$/gm)).toEqual([`Ready on http://127.0.0.1:${port}`]);
    expect(run.stdout).toContain(`Model source: the built-in simulator. No Ollama answered at ${ollama}`);
    expect(run.stdout).toContain('no language model runs');
    expect(run.stdout).toContain('Operator token: OPERATOR_TOKEN in .dev.vars\n');

    expect(statSync(house.path('.dev.vars')).mode & 0o777).toBe(0o600);
    const token = /^OPERATOR_TOKEN=(.{43})$/m.exec(secrets())?.[1] ?? '';
    expect(run.stdout + run.stderr).not.toContain(token);
    const headers = { authorization: `Bearer ${token}` };
    expect((await fetch(`http://127.0.0.1:${port}/api/health/full`, { headers })).status).toBe(200);
    const bots: unknown = await (await fetch(`http://127.0.0.1:${port}/api/bots`)).json();
    expect(bots).toMatchObject({ source: { kind: 'simulator' } });
    expect(existsSync(house.path('.wrangler/state'))).toBe(true);

    const second = house.run('start', ['--port', String(port)], { OLLAMA_BASE_URL: ollama });
    expect(await second.ended()).toBe(1);
    expect(second.stderr).toMatch(new RegExp(`^[^\\n]*in use[^\\n]*${port}[^\\n]*\\n$`));
    await run.stop();
    await expect(fetch(`http://127.0.0.1:${port}/api/health`), 'the runtime ended, too').rejects.toThrow();
  });

  it('keeps the secrets, uses the Ollama of --ollama with its first model, and keeps state in --persist', async () => {
    const before = secrets();
    const simulator = await startSimulator();
    onTestFinished(() => simulator.close());
    const persist = house.path('elsewhere');
    const args = ['--port', '0', '--persist', persist, '--ollama', simulator.url];
    const environment = { OLLAMA_BASE_URL: await closedUrl(), OPERATOR_TOKEN: 'one-from-the-environment' };

    const run = house.run('start', args, environment);
    const [, url = ''] = await run.printed(/^Ready on (.*)\n/m);
    expect(run.stdout).toContain(
      `Model source: Ollama at ${simulator.url}, default model simulator:latest, the first one it lists, since it has no llama3.2\n`,
    );
    expect(run.stdout).toContain('Operator token: OPERATOR_TOKEN in your environment\n');
    expect(secrets()).toBe(before);
    expect(await (await fetch(`${url}/api/bots`)).json()).toMatchObject({
      source: { kind: 'ollama' },
      bots: [{ id: 'default', model: 'simulator:latest' }, {}, {}, {}],
    });
    const created = await fetch(`${url}/api/sessions`, {
      method: 'POST',
      body: '{"title":"Kept"}',
      headers: JSON_TYPE,
    });
    expect(created.status).toBe(201);
    const cookie = created.headers.getSetCookie()[0]?.split(';')[0] ?? '';
    await run.stop();

    const second = house.run('start', args, environment);
    const [, again = ''] = await second.printed(/^Ready on (.*)\n/m);
    const sessions: unknown = await (await fetch(`${again}/api/sessions`, { headers: { cookie } })).json();
    expect(sessions).toMatchObject({ sessions: [{ title: 'Kept' }] });
    await second.stop();
  });

  it('B29: erases what a bot keeps only for some days', async () => {
    const persist = house.path('elsewhere');
    const db = nodeSql(historyFile(persist));
    db.exec(
      `INSERT INTO sessions (id, user_id, bot_id, bot_name, bot_model, title, created_at, settings_seq)
       VALUES ('s_old', 'u_old', 'week', 'Week', 'm', 'Old', ?, 0)`,
      Date.now() - 8 * DAY_MS,
    );
    db.close();
    const run = house.run('start', ['--port', '0', '--persist', persist], {
      OLLAMA_BASE_URL: await closedUrl(),
      BOTS: '[{"id":"week","name":"Week","retentionDays":7}]',
      LOG_LEVEL: 'info',
    });
    const [line] = await run.printed(/^.*"event":"retention".*$/m);
    expect(JSON.parse(line)).toMatchObject({ erased: 1 });
    await run.stop();
    const after = nodeSql(historyFile(persist));
    expect(after.exec('SELECT bot_id FROM sessions').toArray()).toEqual([{ bot_id: 'default' }]);
    after.close();
  });
});

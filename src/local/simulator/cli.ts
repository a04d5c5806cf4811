/** `node src/local/simulator/cli.ts --port 11434 --tokens 40 --token-ms 10 --fault cut@5` */
import { parseArgs } from 'node:util';
import type { ParseArgsConfig } from 'node:util';
import { FAULT_HELP } from './faults.ts';
import { MODELS } from './models.ts';
import { NUMBER_SETTINGS, SettingsError } from './settings.ts';
import { startSimulator } from './server.ts';
import type { SimulatorOptions } from './server.ts';

/** Ollama's own port, and a pace that is pleasant to read. */
const DEFAULTS = { port: 11434, firstTokenMs: 250, tokenMs: 25 };

const SERVER_OPTIONS = {
  port: 'port to listen on (11434; 0 takes a free one)',
  host: 'address to listen on (127.0.0.1)',
  parallel: 'generations at a time, as OLLAMA_NUM_PARALLEL; 0: no limit',
  maxQueue: 'how many may wait before the next gets 503 (512)',
  fault: 'faults separated by commas',
};

function kebab(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}

function helpText(): string {
  const settings = Object.entries(NUMBER_SETTINGS).map(([name, { help }]) => [name, help] as const);
  const options = [...Object.entries(SERVER_OPTIONS), ...settings];
  const optionLines = options.map(([name, help]) => `  --${kebab(name).padEnd(20)} ${help}`);
  const faultLines = Object.values(FAULT_HELP).map(({ syntax, does }) => `  ${syntax.padEnd(26)} ${does}`);
  return [
    "Ollama simulator: speaks Ollama's API, runs no model, fails on demand.",
    `\nOptions\n${optionLines.join('\n')}`,
    `\nFaults\n${faultLines.join('\n')}`,
    '\nPer request: options.simulator in the body, an x-simulator header, or',
    '[[sim tokens=20 tokenMs=10 fault=cut@5]] in the last user message.',
  ].join('\n');
}

function readOptions(args: readonly string[]): SimulatorOptions | 'help' {
  const numbers = ['port', 'parallel', 'maxQueue', ...Object.keys(NUMBER_SETTINGS)];
  const known = [...numbers, 'host', 'fault'];
  const options: ParseArgsConfig['options'] = { help: { type: 'boolean', short: 'h' } };
  for (const name of known) options[kebab(name)] = { type: 'string' };
  const { values } = parseArgs({ args: [...args], options, strict: true });
  if (values['help'] === true) return 'help';
  const read: Record<string, string | number> = { ...DEFAULTS };
  for (const name of known) {
    const value = values[kebab(name)];
    if (typeof value !== 'string') continue;
    const isNumber = numbers.includes(name);
    if (isNumber && !/^\d+(?:\.\d+)?$/.test(value)) {
      throw new SettingsError(`--${kebab(name)} must be a number, not '${value}'`);
    }
    read[name] = isNumber ? Number(value) : value;
  }
  return read;
}

async function main(): Promise<void> {
  const options = readOptions(process.argv.slice(2));
  if (options === 'help') {
    console.log(helpText());
    return;
  }
  const simulator = await startSimulator(options);
  const names = MODELS.map((model) => model.name).join(', ');
  console.log(`Ollama simulator (no language model runs here) on ${simulator.url}`);
  console.log(`Models: ${names}`);
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, () => void simulator.close());
  }
}

try {
  await main();
} catch (error) {
  console.error(`simulator: ${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = 1;
}

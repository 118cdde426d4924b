import { resolve } from 'node:path';
import { type Command, type Given, runCommand, UsageError, whole } from '../../src/commands/args.ts';
import { stopSignal } from '../../src/lib/stop-signal.ts';
import { runChaos } from './chaos.ts';
import { inWords } from './report.ts';

const options = {
  minutes: { type: 'string', value: 'minutes', help: 'How long it sells under faults; default 2.' },
  seed: { type: 'string', value: 'seed', help: 'What is done when, and to whom; default 1.' },
  rate: { type: 'string', value: 'count', help: 'Buyers per second; default 150.' },
  out: { type: 'string', value: 'folder', help: 'Where the results go; default chaos-results.' },
  json: { type: 'boolean', help: 'Print the report as JSON.' },
} as const;

const command: Command<typeof options> = {
  name: 'npm run chaos',
  about:
    'Runs a real cluster (three instances, three members of MongoDB, Redis, suppliers over HTTP) and sells to clients\n' +
    'outside of it, while a nemesis kills and freezes instances, deposes, kills and freezes the primary of MongoDB,\n' +
    'wipes, restarts and freezes Redis, breaks the network between all of them and lets the suppliers fail. Then it\n' +
    'lets everything settle, and a checker that shares no code with the server holds what the clients saw against\n' +
    'what is stored. It leaves the history, a timeline and a report in a folder, and logs when something is wrong.\n' +
    'Exits 0 when no promise was broken, 1 with each violation, 2 when it could not be done.',
  options,
};

async function run(given: Given<typeof options>): Promise<number> {
  const minutes = number(given.minutes, '--minutes', 2, 24 * 60);
  const seed = whole(given.seed, '--seed') ?? 1;
  const rate = number(given.rate, '--rate', 150, 100_000);
  const out = resolve(given.out ?? 'chaos-results');
  const report = await runChaos({
    ...{ minutes, seed, rate, out },
    stop: stopSignal(2, () => console.error('stopping …')),
    onProgress: (line) => console.error(line),
  });
  console.log(given.json ? JSON.stringify(report, undefined, 2) : inWords(report));
  if (!given.json) console.log(`The history, the timeline and the report are in ${out}`);
  return report.ok ? 0 : 1;
}

function number(text: string | undefined, option: string, byDefault: number, most: number): number {
  if (text === undefined) return byDefault;
  const value = Number(text);
  if (!/^\d+(\.\d+)?$/.test(text) || value <= 0 || value > most)
    throw new UsageError(`${option} takes a number above 0, at most ${most}, not '${text}'`);
  return value;
}

if (import.meta.main) {
  await runCommand(command, run);
  // Exits explicitly: a broken connection may have left a timer or socket.
  process.exit();
}

import { resolve } from 'node:path';
import {
  choice,
  flag,
  type OptionValues,
  positive,
  runCommand,
  text,
  UsageError,
  whole,
} from '../../src/lib/command-line.ts';
import { stopSignal } from '../../src/lib/stop-signal.ts';
import type { EngineName } from '../support/cluster.ts';
import { runChaos } from './chaos.ts';
import { formatReport } from './report.ts';

const engines = ['actor', 'lock', 'queue'] as const;
/** Buyers per second. The lock and queue engines book one order after the other. */
const rates: Readonly<Record<EngineName, number>> = { actor: 100, lock: 20, queue: 15 };
/** An order that has to be paid takes about twice the work: its payment, its events, and buyers who look again. */
const rateWithPayments = 50;

const options = {
  minutes: positive('minutes', 'How long it sells under faults.', { max: 24 * 60, default: 2 }),
  seed: whole('seed', 'Decides which fault happens when, and to which process.', { default: 1 }),
  engine: choice('The engine that sells.', engines, 'actor'),
  payments: choice(
    'Whether orders have to be paid. Without it on with --engine actor, which alone knows payments.',
    ['on', 'off'],
  ),
  rate: whole(
    'count',
    'Buyers per second. Without it 50, with --payments off 100, or with --engine lock 20, queue 15.',
    { min: 1, max: 100_000 },
  ),
  out: text('folder', 'The folder for the results.', 'chaos-results'),
  json: flag('Print the report as JSON.'),
};

const command = {
  name: 'npm run chaos',
  about:
    'Runs a real cluster (three instances, three members of MongoDB, Redis, suppliers over HTTP) and sells to clients\n' +
    'outside of it, beside operators who change packages and orders, while a nemesis kills and freezes instances,\n' +
    'deposes, kills and freezes the primary of MongoDB, wipes, restarts and freezes Redis, breaks the network between\n' +
    'all of them and lets the suppliers fail, for all packages or for one. A third of the buyers never pays; others pay\n' +
    'too late, twice, or are declined, while the payment provider fails, and its events are lost, repeated, late or\n' +
    'forged. Then it lets everything settle, and a\n' +
    'checker that shares no code with the server holds what the clients saw against what is stored. It leaves the history, a timeline and a report in a folder, and logs when something is wrong.\n' +
    'Exits 0 when no promise was broken, 1 with each violation, 2 when it could not be done.',
  options,
};

async function run({
  minutes,
  seed,
  engine,
  payments = engine === 'actor' ? 'on' : 'off',
  rate,
  out: folder,
  json,
}: OptionValues<typeof options>): Promise<number> {
  const hasPayments = payments === 'on';
  if (hasPayments && engine !== 'actor') throw new UsageError('--payments on needs --engine actor');
  const out = resolve(folder);
  const usualRate = hasPayments ? rateWithPayments : rates[engine];
  const report = await runChaos({
    ...{ minutes, seed, engine, hasPayments, rate: rate ?? usualRate, out },
    stop: stopSignal(2, () => console.error('stopping …')),
    onProgress: (line) => console.error(line),
  });
  console.log(json ? JSON.stringify(report, undefined, 2) : formatReport(report));
  if (!json) console.log(`The history, the timeline and the report are in ${out}`);
  return report.ok ? 0 : 1;
}

if (import.meta.main) {
  await runCommand(command, run);
  // Exit explicitly, because a broken connection may have left a timer or socket.
  process.exit();
}

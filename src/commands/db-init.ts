import { createInterface } from 'node:readline/promises';
import { openStore } from '../compose/store.ts';
import { readSettings } from '../config/config.ts';
import type { TravelPackage } from '../domain/travel-package.ts';
import { samplePackages } from '../domain/travel-package.ts';
import { systemClock } from '../lib/clock.ts';
import { flag, type OptionValues, runCommand, text, UsageError } from '../lib/command-line.ts';
import { allItemsOf } from '../lib/page.ts';
import type { Store } from '../storage/store.ts';
import { readPackagesFile, withNightInThePast } from './packages-file.ts';

const options = {
  file: text(
    'packages.json',
    '{"packages": [{"id", "flight", "stay", "price", "quota", "opensAt"?, "closesAt"?}]}; without it: the sample.',
  ),
  reset: flag('First delete all packages, orders and simulated reservations, after a question.'),
  yes: flag('Answer yes to the question of --reset.'),
};

const command = {
  name: 'npm run db:init',
  about:
    'Puts packages into the store that DATABASE_URL names. Packages that are there already stay as they are.\n' +
    'Prices are whole units of CURRENCY, without cents. A file with mistakes changes nothing: all are named.\n' +
    'Stop the server first. Exits 0 when it is done, 1 when you said no, 2 when it could not be done.',
  options,
};

async function initialise({ file, reset, yes }: OptionValues<typeof options>): Promise<number> {
  const packages = file === undefined ? samplePackages : await readPackagesFile(file);
  if (file !== undefined) warnOfPast(packages);
  if (reset && !yes && !process.stdin.isTTY) {
    throw new UsageError('--reset deletes everything, and there is no terminal to ask: say --yes as well');
  }
  const store = await openStore(readSettings().database);
  try {
    if (reset) {
      if (!yes && !(await isConfirmed(store))) {
        console.log('Nothing was changed.');
        return 1;
      }
      await store.clear();
      console.log('Deleted all packages, orders and simulated reservations.');
    }
    console.log(await add(store, packages));
    return 0;
  } finally {
    await store.close();
  }
}

/**
 * Warns of nights in the past, because a wrong year is a likely mistake. The sample packages get no warning: their
 * dates are old on purpose.
 */
function warnOfPast(packages: readonly TravelPackage[]): void {
  for (const { id, stay } of withNightInThePast(packages, systemClock.now()))
    console.error(`Warning: package ${id} has its night in the past (${stay}).`);
}

async function isConfirmed(store: Store): Promise<boolean> {
  const owners = await allItemsOf((cursor, limit) => store.ownersPage(cursor, limit));
  const terminal = createInterface({ input: process.stdin, output: process.stdout });
  try {
    const question = `Delete everything (packages: ${owners.length}) with all orders? (y/N) `;
    return /^y(es)?$/i.test((await terminal.question(question)).trim());
  } finally {
    terminal.close();
  }
}

async function add(store: Store, packages: readonly TravelPackage[]): Promise<string> {
  const added = await store.addPackages(packages);
  const isNew = new Set(added);
  const there = packages.map(({ id }) => id).filter((id) => !isNew.has(id));
  const lines = [
    added.length > 0 ? `Added ${named(added)}.` : 'Added no package.',
    ...(there.length > 0 ? [`There already, and left as they are: ${named(there)}.`] : []),
  ];
  return lines.join('\n');
}

function named(ids: readonly number[]): string {
  const shown = ids.length > 20 ? `${ids.slice(0, 20).join(', ')}, …` : ids.join(', ');
  return ids.length === 1 ? `package ${shown}` : `${ids.length} packages (${shown})`;
}

if (import.meta.main) await runCommand(command, initialise);

import { realpath } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { type ArchiveTotals, archive } from '../archive/archive.ts';
import { ArchiveFile } from '../archive/archive-file.ts';
import { openStore } from '../compose/store.ts';
import { readSettings } from '../config/config.ts';
import { systemClock } from '../lib/clock.ts';
import { flag, type OptionValues, runCommand, text, UsageError } from '../lib/command-line.ts';
import { lockFile } from '../lib/file-lock.ts';
import { ProgressLine } from '../lib/progress-line.ts';
import { systemRandom } from '../lib/random.ts';

const options = {
  out: text('file', 'The archive: JSON lines. It is made if it does not exist, and otherwise continued.'),
  progress: flag('Print the progress on stderr, also if it is no terminal.'),
};

const command = {
  name: 'npm run archive',
  about:
    'Writes orders that ended more than RETENTION_DAYS days ago, their entries in the ledger of the simulated suppliers\n' +
    'inside, changes by operators and ended sessions to a file, and then removes them from the store that DATABASE_URL\n' +
    'names. It runs beside running servers. Kill it at any moment: run it again with the same file to go on.\n' +
    'The file contains emails. Exits 0 when it is done, 2 when it could not be done; stderr says why.',
  options,
};

async function run({ out, progress: isProgressAsked }: OptionValues<typeof options>): Promise<number> {
  if (out === undefined) throw new UsageError('--out names the file to write to, for example orders.ndjson');
  const { database, retentionDays } = readSettings();
  if (retentionDays === 0) throw new Error('RETENTION_DAYS is not set: everything is kept');
  const path = await pathOf(out);
  const release = lockFile(path, `${path} is being written by another archive: wait for that one`);
  const progress = new ProgressLine(isProgressAsked);
  try {
    const store = await openStore(database, { beside: true });
    try {
      const file = await ArchiveFile.open(path, await store.setting('archived-store', newStoreId));
      try {
        const onProgress = (totals: ArchiveTotals) => progress.show(inWords(totals));
        const totals = await archive({ store, file, retentionDays, clock: patientClock, onProgress });
        progress.clear();
        console.log(`Archived ${inWords(totals)} to ${out}.`);
        const { length } = store.unreadable();
        if (length > 0) console.error(`Documents that cannot be read stay: ${length}.`);
        return 0;
      } finally {
        await file.close();
      }
    } finally {
      await store.close();
    }
  } finally {
    progress.clear();
    release();
  }
}

/** The system clock, with sleeps that keep the process alive. */
const patientClock = {
  ...systemClock,
  sleep: (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms)),
};

/** The real path, so that one file is locked under one name. @throws Error if there is no such folder. */
async function pathOf(out: string): Promise<string> {
  try {
    return await realpath(out);
  } catch {
    const folder = await realpath(dirname(out)).catch(() => {
      throw new Error(`there is no folder ${dirname(out)} for --out`);
    });
    return join(folder, basename(out));
  }
}

/** Names the store in its archives. */
function newStoreId(): string {
  return Buffer.from(systemRandom().bytes(16)).toString('base64url');
}

function inWords({ orders, reservations, changes, sessions }: Readonly<ArchiveTotals>): string {
  const counts = [
    count(orders, 'order'),
    count(reservations, 'reservation'),
    count(changes, 'change'),
    count(sessions, 'session'),
  ];
  return new Intl.ListFormat('en-GB').format(counts);
}

function count(number: number, what: string): string {
  return `${number} ${what}${number === 1 ? '' : 's'}`;
}

if (import.meta.main) await runCommand(command, run);

import { availableParallelism } from 'node:os';
import { flag, type OptionValues, runCommand, text, UsageError, whole } from '../../src/lib/command-line.ts';
import { copyProgram, type Find, type Hunt } from './bug-hunt.ts';
import { findsTable, readFinds, writeFinds } from './found-bugs.ts';
import { plantedBugs } from './planted-bugs.ts';
import { isMostlyErrors, missingIn, type Range, simulateRange } from './ranges.ts';
import { type SeedResult, simulate } from './simulation.ts';

const options = {
  seeds: whole('count', 'The number of seeds; without it 1000, or 10,000 with --bugs.'),
  from: whole('seed', 'The first seed; without it 1.'),
  workers: whole('count', 'Threads; without it one per core.'),
  seed: whole('seed', 'Replay this seed only.'),
  trace: flag('With --seed: print every event.'),
  notices: flag('Also deliver mails and webhooks about the orders, to receivers that fail.'),
  first: flag('Stop at the first seed that breaks a promise.'),
  bugs: flag('Plant each known bug in a copy of the program, and look for a seed that finds it.'),
  only: text('words', 'With --bugs: only the bugs whose name contains these words.'),
  write: flag('With --bugs: store the results for tests and docs.'),
  json: flag('Print the result as JSON.'),
};

const command = {
  name: 'npm run simulate',
  about:
    'Runs the production actors, sagas, ownership, routing and recovery of several instances on simulated time, with\n' +
    'crashes, pauses, partitions, lost replies, failing suppliers, late payments and more, all drawn from a seed, and\n' +
    'holds the promises Q1 to Q12 against what is stored and said after every step. The same seed gives the same\n' +
    'history on any machine.\n' +
    'Exits 0 when no promise was broken, 1 with each seed that broke one, 2 when it could not be done.',
  options,
};

/** A range with at least this many seeds must contain every fault and outcome. */
const enoughSeeds = 1_000;
const bugSeedsMax = 10_000;

async function run(given: OptionValues<typeof options>): Promise<number> {
  const { seed, from = 1, workers = availableParallelism() } = given;
  if (seed !== undefined) {
    const others = (['seeds', 'from', 'first', 'bugs', 'only', 'write'] as const).filter(
      (name) => given[name] !== undefined && given[name] !== false,
    );
    if (others.length > 0) throw new UsageError(`--seed replays one seed: it goes without --${others[0]}`);
    return replay(seed, given.trace, given.notices);
  }
  if (given.trace) throw new UsageError('--trace needs --seed');
  if (given.bugs) {
    const hunt = { from, seeds: given.seeds ?? bugSeedsMax, workers };
    return bugs(hunt, given.only ?? '', given.write, given.json);
  }
  if (given.only !== undefined) throw new UsageError('--only needs --bugs');
  if (given.write) throw new UsageError('--write needs --bugs');
  const { seeds = 1_000 } = given;
  if (seeds === 0) throw new UsageError('--seeds 0 proves nothing');
  return range({ from, seeds, workers, stopAtFirst: given.first, notices: given.notices }, given.json);
}

async function replay(seed: number, isTraced: boolean, notices: boolean): Promise<number> {
  const result = await simulate(seed, isTraced ? (line) => console.log(line) : undefined, { notices });
  console.log(JSON.stringify(result, undefined, 2));
  return result.violation === undefined ? 0 : 1;
}

async function range(seedRange: Range, isJson: boolean): Promise<number> {
  const { from, seeds } = seedRange;
  const isShown = process.stderr.isTTY;
  const onResult = ({ seed, violation }: SeedResult, done: number) => {
    if (violation !== undefined) console.error(`seed ${seed}: ${violation}`);
    if (isShown && done % 50 === 0) process.stderr.write(`\r${done} of ${seeds} seeds`);
  };
  const result = await simulateRange({ ...seedRange, onResult });
  if (isShown) process.stderr.write('\r\x1b[K');
  const { violations, counters, seconds, steps } = result;
  const missing = seeds >= enoughSeeds ? missingIn(counters, seedRange) : [];
  const isHollow = seeds >= enoughSeeds && isMostlyErrors(counters);
  const isOk = violations.length === 0 && missing.length === 0 && !isHollow;
  if (isJson) {
    const found = violations.map(({ seed, violation }) => ({ seed, violation }));
    console.log(
      JSON.stringify({ ok: isOk, from, seeds, seconds, steps, violations: found, missing, counters }),
    );
    return isOk ? 0 : 1;
  }
  for (const [what, count] of Object.entries(counters.toJSON()))
    console.log(`${String(count).padStart(12)} ${what}`);
  console.log(
    `${seeds} seeds from ${from} in ${seconds.toFixed(0)} s (${steps} steps): ${violations.length} broke a promise.`,
  );
  for (const { seed, violation } of violations.slice(0, 20)) {
    console.log(
      `seed ${seed}: ${violation}\n  npm run simulate -- --seed ${seed} --trace${seedRange.notices ? ' --notices' : ''}`,
    );
  }
  if (missing.length > 0) console.log(`Never happened, so it proves nothing: ${missing.join(', ')}`);
  if (isHollow) console.log('Most customers met an error: that proves nothing.');
  return isOk ? 0 : 1;
}

async function bugs(hunt: Hunt, words: string, isKept: boolean, isJson: boolean): Promise<number> {
  const wanted = plantedBugs.filter(({ name }) => name.includes(words));
  if (wanted.length === 0) throw new UsageError(`no planted bug has “${words}” in its name`);
  const copy = await copyProgram();
  const finds: Find[] = [];
  try {
    for (const bug of wanted) {
      const find = await copy.hunt(bug, hunt);
      finds.push(find);
      console.error(`${find.name}: ${find.seed === undefined ? 'NOT FOUND' : `seed ${find.seed}`}`);
    }
  } finally {
    await copy.remove();
  }
  if (isKept) await writeFinds(merged(await readFinds(), finds));
  console.log(isJson ? JSON.stringify(finds) : findsTable(finds));
  return finds.every(({ seed }) => seed !== undefined) ? 0 : 1;
}

/** The newest result for each planted bug. */
function merged(older: readonly Find[], newer: readonly Find[]): Find[] {
  const results = new Map([...older, ...newer].map((find) => [find.name, find]));
  return plantedBugs.flatMap(({ name }) => results.get(name) ?? []);
}

await runCommand(command, run);

import {
  choice,
  flag,
  type OptionValues,
  runCommand,
  UsageError,
  whole,
} from '../../src/lib/command-line.ts';
import { stopSignal } from '../../src/lib/stop-signal.ts';
import { type FuzzedServer, type MemoryUse, startFuzzedServer } from './fuzzed-server.ts';
import { fuzzRaw, type RawFailure, type RawFuzz, rawInput } from './raw-fuzz.ts';
import { fuzzApi } from './schemathesis.ts';

const options = {
  mode: choice('One of the two; without it: both.', ['api', 'raw']),
  seed: whole('seed', 'The first seed.', { default: 1 }),
  cases: whole('count', 'api: the least number of requests.', { min: 1, default: 5_000 }),
  inputs: whole('count', 'raw: the number of connections.', { min: 1, default: 100_000 }),
  replay: flag('raw: send only the input of this seed, and print it.'),
};

const command = {
  name: 'npm run fuzz',
  about:
    'Starts a server in a process of its own, and attacks it with invalid requests.\n' +
    'api: schemathesis generates requests from /openapi.json, valid and invalid, single and in sequences, with the tokens\n' +
    'of operators and suppliers, and checks every answer against it. raw: broken HTTP and WebSocket bytes. The process\n' +
    'must not end, answer a 5xx other than overloaded, refuse without a problem or page, keep a connection open, or use\n' +
    'over 10 % more memory than after its warm-up (measured after garbage collection).\n' +
    'Afterwards a purchase must succeed, the audit must be clean, and the log must have no errors.\n' +
    'Exits 0 when nothing was found, 1 with each finding and how to repeat it, 2 when it could not be done.',
  options,
};

/** Schemathesis finds most failures early in a round, so many short rounds with different seeds find more. */
const examplesPerRound = 100;
/** Inputs of the warm-up before the first measurement of memory, as a share of the run. */
const warmUpShare = 0.5;
/** With fewer inputs, growth cannot be told from warm-up. */
const weighedFrom = 20_000;
/** Far from the seeds of the run, so that inputs differ. */
const warmUpSeed = 1_000_000_000;
const growthMax = 0.1;
const progressEveryMs = 10_000;

async function run({ mode, seed, cases, inputs, replay }: OptionValues<typeof options>): Promise<number> {
  if (replay && mode === 'api')
    throw new UsageError('--replay is for raw: api says itself how to repeat what it finds');
  if (replay) return replayRaw(seed);
  const stop = stopSignal(2, () => console.error('stopping …'));
  const found: string[] = [];
  if (mode !== 'raw') found.push(...(await attackApi(seed, cases, stop)));
  if (mode !== 'api') found.push(...(await attackRaw(seed, inputs, stop)));
  for (const finding of found) console.log(finding);
  console.log(found.length === 0 ? 'Nothing was found.' : `Findings: ${found.length}.`);
  return found.length === 0 ? 0 : 1;
}

async function attackApi(firstSeed: number, casesMin: number, stop: AbortSignal): Promise<string[]> {
  await using server = await startFuzzedServer();
  console.error(`api: at ${server.origin}`);
  const startedAt = performance.now();
  let cases = 0;
  let seed = firstSeed;
  for (; cases < casesMin; seed++) {
    const report = await fuzzApi({ origin: server.origin, seed, examples: examplesPerRound, stop });
    stop.throwIfAborted();
    if (report.cases === 0) throw new Error('schemathesis made no request');
    cases += report.cases;
    console.error(`api: seed ${seed}: ${cases} of at least ${casesMin} cases`);
    if (report.failures.length > 0) return [...report.failures, ...errorsIn(server)];
  }
  const seconds = (performance.now() - startedAt) / 1000;
  console.log(`api: ${cases} cases from ${seed - firstSeed} seeds in ${seconds.toFixed(0)} s: 0 failures`);
  return await afterwards(server, { suppliersToken: true });
}

async function attackRaw(seed: number, inputs: number, stop: AbortSignal): Promise<string[]> {
  await using server = await startFuzzedServer();
  console.error(`raw: at ${server.origin}`);
  const isWeighed = inputs >= weighedFrom;
  let before: MemoryUse | undefined;
  if (isWeighed) {
    const warmUp = { seed: warmUpSeed, inputs: Math.round(inputs * warmUpShare), stop };
    const { failures } = await fuzzRaw(server, { ...warmUp, onProgress: progress('raw: warm-up', warmUp) });
    stop.throwIfAborted();
    if (failures.length > 0) return failures.map(formatFailure);
    before = await server.weigh();
  }
  const range = { seed, inputs, stop };
  const report = await fuzzRaw(server, { ...range, onProgress: progress('raw', range) });
  stop.throwIfAborted();
  const statuses = Object.entries(report.statuses).map(([status, count]) => `${status}: ${count}`);
  console.log(
    `raw: ${report.inputs} inputs in ${report.seconds.toFixed(0)} s; answers ${statuses.join(', ')}`,
  );
  if (report.failures.length > 0) return report.failures.map(formatFailure);
  const grown = before === undefined ? [] : growth(before, await server.weigh());
  if (!isWeighed) console.log(`raw: not weighed: that takes ${weighedFrom} inputs or more`);
  return [...grown, ...(await afterwards(server, { suppliersToken: false }))];
}

function growth(before: MemoryUse, after: MemoryUse): string[] {
  const share = after.resident / before.resident - 1;
  const change = `${share < 0 ? '' : '+'}${(share * 100).toFixed(1)} %`;
  const residents = `${megabytes(before.resident)} MB after the warm-up, ${megabytes(after.resident)} MB after the run`;
  const heaps = `${megabytes(before.heap)} and ${megabytes(after.heap)} MB`;
  console.log(`raw: it takes ${residents} (${change}), of which its objects are ${heaps}`);
  return share > growthMax ? [`It grew by more than a tenth: ${residents} (${change}).`] : [];
}

/** The checks after an attack. */
async function afterwards(server: FuzzedServer, given: { suppliersToken: boolean }): Promise<string[]> {
  const found: string[] = [];
  if (!server.isRunning) return [`The server ended:\n${server.output()}`];
  const refused = await server.buyHonestly();
  if (refused !== undefined) found.push(`An honest purchase failed: ${refused}.`);
  const findings = await server.auditFindings(given);
  return [...found, ...findings.map((finding) => `The audit: ${finding}`), ...errorsIn(server)];
}

function errorsIn(server: FuzzedServer): string[] {
  const lines = server.output().match(/^.*"level":"(?:error|fatal)".*$/gm) ?? [];
  return lines.map((line) => `In the log: ${line}`);
}

async function replayRaw(seed: number): Promise<number> {
  const { what, writes } = rawInput(seed);
  for (const bytes of writes)
    console.log(`${bytes.toString('hex')}\n${JSON.stringify(bytes.toString('latin1'))}`);
  await using server = await startFuzzedServer();
  const { statuses, failures } = await fuzzRaw(server, { seed, inputs: 1 });
  console.log(`${what}: ${JSON.stringify(statuses)} ${failures.map(({ why }) => why).join()}`);
  return failures.length === 0 ? 0 : 1;
}

function formatFailure({ seed, why, what, hex }: RawFailure): string {
  return `seed ${seed} (${what}): ${why}\n  npm run fuzz -- --replay --seed ${seed}\n  ${hex.join('\n  ')}`;
}

/** Prints the progress at most every few seconds. */
function progress(what: string, { inputs }: Pick<RawFuzz, 'inputs'>): (done: number) => void {
  let saidAt = performance.now();
  return (done) => {
    if (performance.now() - saidAt < progressEveryMs) return;
    saidAt = performance.now();
    console.error(`${what}: ${done} of ${inputs} inputs`);
  };
}

function megabytes(bytes: number): string {
  return (bytes / 1024 / 1024).toFixed(1);
}

if (import.meta.main) await runCommand(command, run);

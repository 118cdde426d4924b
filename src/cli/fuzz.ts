import { type FuzzedServer, startFuzzedServer } from '../testing/fuzz/fuzzed-server.ts';
import { fuzzRaw, type RawFailure, rawInput, restingMemory } from '../testing/fuzz/raw-fuzz.ts';
import { fuzzApi } from '../testing/fuzz/schemathesis.ts';
import { type Command, type Given, runCommand, UsageError } from './args.ts';

const options = {
  mode: { type: 'string', value: 'api|raw', help: 'One of the two; default both.' },
  seed: { type: 'string', value: 'seed', help: 'The first one; default 1.' },
  cases: { type: 'string', value: 'count', help: 'api: requests at least; default 5000.' },
  inputs: { type: 'string', value: 'count', help: 'raw: connections; default 100000.' },
  replay: { type: 'boolean', help: 'raw: send the input of this one seed alone, and print it.' },
} as const;

const command: Command<typeof options> = {
  name: 'npm run fuzz',
  about:
    'Attacks a server of its own, in a process of its own, with what nobody should send.\n' +
    'api: schemathesis makes requests from /openapi.json, valid and invalid, alone and in a row, and holds every\n' +
    'answer against it. raw: broken HTTP and WebSocket bytes; the process may not end, answer a 5xx that is not one of\n' +
    'being overloaded, keep a connection open, or take more than a tenth more memory than after its warm-up.\n' +
    'After both, an honest purchase must succeed and the audit must be clean.\n' +
    'Exits 0 when nothing was found, 1 with each finding and how to repeat it, 2 when it could not be done.',
  options,
};

/** Schemathesis finds most of what it finds early: many short rounds, each from another seed, see more. */
const examplesPerRound = 100;
/** What the server meets before it is weighed, as a share of what follows, and at least. */
const warmUp = { share: 0.5, inputsMin: 20_000 };
/** Seeds of the warm-up are far from those of the run. */
const warmUpSeed = 1_000_000_000;
const growthMax = 0.1;

async function run(given: Given<typeof options>): Promise<number> {
  const { mode, replay } = given;
  if (mode !== undefined && mode !== 'api' && mode !== 'raw') throw new UsageError('--mode takes api or raw');
  const seed = whole(given.seed, '--seed') ?? 1;
  if (replay) return replayRaw(seed);
  const found: string[] = [];
  if (mode !== 'raw') found.push(...(await attackApi(seed, whole(given.cases, '--cases') ?? 5_000)));
  if (mode !== 'api') found.push(...(await attackRaw(seed, whole(given.inputs, '--inputs') ?? 100_000)));
  for (const finding of found) console.log(finding);
  console.log(found.length === 0 ? 'Nothing was found.' : `Findings: ${found.length}.`);
  return found.length === 0 ? 0 : 1;
}

async function attackApi(firstSeed: number, casesMin: number): Promise<string[]> {
  await using server = await startFuzzedServer();
  let cases = 0;
  let seed = firstSeed;
  for (; cases < casesMin; seed++) {
    const report = await fuzzApi({ origin: server.origin, seed, examples: examplesPerRound });
    cases += report.cases;
    console.log(`api: seed ${seed}, ${cases} cases, ${report.failures.length} failures`);
    if (report.failures.length > 0) return [...report.failures, ...errorsIn(server)];
    if (report.cases === 0) throw new Error('schemathesis made no request');
  }
  return await afterwards(server, { suppliersToken: true });
}

async function attackRaw(seed: number, inputs: number): Promise<string[]> {
  await using server = await startFuzzedServer();
  const onProgress = (done: number) => {
    if (done % 10_000 === 0) console.log(`raw: ${done} of ${inputs}`);
  };
  const before = Math.max(warmUp.inputsMin, Math.round(inputs * warmUp.share));
  const warm = await fuzzRaw(server, { seed: warmUpSeed, inputs: before });
  if (warm.failures.length > 0) return warm.failures.map(inWords);
  const memoryBefore = await restingMemory(server);
  const report = await fuzzRaw(server, { seed, inputs, onProgress });
  if (report.failures.length > 0) return report.failures.map(inWords);
  const memory = await restingMemory(server);
  const growth = memory / memoryBefore - 1;
  const statuses = Object.entries(report.statuses).map(([status, count]) => `${status}: ${count}`);
  console.log(
    `raw: ${report.inputs} inputs in ${report.seconds.toFixed(0)} s; answers ${statuses.join(', ')}`,
  );
  console.log(
    `raw: ${megabytes(memoryBefore)} MB after the warm-up of ${before}, ${megabytes(memory)} MB after the run ` +
      `(${(growth * 100).toFixed(1)} %)`,
  );
  const grown = growth > growthMax ? ['It takes more than a tenth more memory than after the warm-up.'] : [];
  return [...grown, ...(await afterwards(server, { suppliersToken: false }))];
}

/** What must still be so when all is over. */
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

function inWords({ seed, why, what, hex }: RawFailure): string {
  return `seed ${seed} (${what}): ${why}\n  npm run fuzz -- --replay --seed ${seed}\n  ${hex.join('\n  ')}`;
}

function megabytes(bytes: number): string {
  return (bytes / 1024 / 1024).toFixed(1);
}

function whole(text: string | undefined, option: string): number | undefined {
  if (text === undefined) return undefined;
  if (!/^\d{1,9}$/.test(text)) throw new UsageError(`${option} takes a whole number, not '${text}'`);
  return Number(text);
}

await runCommand(command, run);

import { mkdir, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { UsageError } from '../src/lib/command-line.ts';
import { defined } from '../src/lib/defined.ts';
import { onStopSignals } from '../src/lib/stop-signal.ts';
import { type BenchParams, readArguments, type ScenariosParams } from './arguments.ts';
import { runScenarios } from './bench.ts';
import { help } from './help.ts';
import {
  compare,
  compareResults,
  goalsTable,
  readResults,
  renderComparison,
  writeReport,
} from './report/index.ts';
import type { BenchResults } from './results.ts';
import { showProgress } from './runner/progress.ts';
import { scenarios as allScenarios } from './scenarios/index.ts';
import { interruptedExitCode, StoppedError } from './stopping.ts';
import { runTargets } from './targets-mode.ts';

async function main(): Promise<number> {
  const args = process.argv.slice(2);
  const params = readArguments(args, process.env);
  const command = ['npm run bench', ...(args.length > 0 ? ['--', ...args.map(withoutSecrets)] : [])].join(
    ' ',
  );
  switch (params.kind) {
    case 'help':
      console.log(help);
      return 0;
    case 'list':
      return list();
    case 'compare':
      return compareFiles(params);
    case 'scenarios':
      return scenarios(params, command);
    case 'targets':
      return runTargets(params, { command, progress: showProgress(), signal: stopSignal(), write });
  }
}

async function scenarios(params: ScenariosParams, command: string): Promise<number> {
  const progress = showProgress();
  const signal = stopSignal();
  const cpuProfiles = params.cpuProfiles === undefined ? undefined : resolve(params.cpuProfiles);
  if (cpuProfiles !== undefined) await mkdir(cpuProfiles, { recursive: true });
  const given = { ...params, ...defined({ cpuProfiles }) };
  const keep = (results: BenchResults) => writeReport(results, resolve(params.out));
  const { results, failed } = await runScenarios(given, { command, progress, signal, keep });
  console.log(goalsTable(results));
  await write(results, params.out);
  for (const line of failed) console.error(line);
  const voided = voidRunsOf(results);
  if (voided > 0) console.error(`${voided} runs are void: their audit failed.`);
  return failed.length > 0 ? 2 : voided > 0 ? 1 : 0;
}

function voidRunsOf({ scenarios: all }: BenchResults): number {
  const runs = all.flatMap(({ contestants }) => contestants.flatMap((contestant) => contestant.runs));
  return runs.filter(({ audit }) => audit.verdict === 'void').length;
}

async function write(results: BenchResults, out: string): Promise<void> {
  const { json, report } = await writeReport(results, resolve(out));
  console.log(`${json}\n${report}`);
}

function list(): number {
  for (const { name, what, isFullOnly = false } of allScenarios) {
    console.log(`${name}${isFullOnly ? ' (not with --quick)' : ''}\n  ${what}`);
  }
  return 0;
}

async function compareFiles({
  before,
  after,
  out,
}: Extract<BenchParams, { kind: 'compare' }>): Promise<number> {
  const [a, b] = [await readResults(before), await readResults(after)];
  console.log(compareResults(a, b));
  const page = join(resolve(out), 'comparison.html');
  await mkdir(resolve(out), { recursive: true });
  await writeFile(page, await renderComparison(a, b));
  console.log(page);
  if (compare(a, b).changes.length > 0) return 0;
  console.error(`${before} and ${after} have nothing in common: no figure was measured in both.`);
  return 2;
}

/** The argument as it may appear in results, which others may read: without secrets. */
function withoutSecrets(argument: string, index: number, args: readonly string[]): string {
  if (args[index - 1] === '--admin-token' || args[index - 1] === '--header') return '…';
  if (/^--(admin-token|header)=/.test(argument)) return `${argument.slice(0, argument.indexOf('='))}=…`;
  return /^[\w@%+=:,./-]+$/.test(argument) ? argument : `'${argument.replaceAll("'", "'\\''")}'`;
}

/** Aborts at the first signal. The second signal ends the process and its child processes at once. */
function stopSignal(): AbortSignal {
  const stop = new AbortController();
  onStopSignals(
    () => {
      console.error('\nstopping …');
      stop.abort(new StoppedError());
    },
    { again: () => process.exit(interruptedExitCode) },
  );
  return stop.signal;
}

main().then(
  // Exits explicitly, because a failed scenario may have left timers or connections open.
  (exitCode) => process.exit(exitCode),
  (error: unknown) => {
    if (error instanceof StoppedError) process.exit(interruptedExitCode);
    console.error(error instanceof Error ? error.message : String(error));
    if (error instanceof UsageError) console.error('See npm run bench -- --help');
    process.exit(2);
  },
);

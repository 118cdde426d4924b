import { fileURLToPath } from 'node:url';
import { defined } from '../src/lib/defined.ts';
import type { ScenariosParams } from './arguments.ts';
import { goalsOf } from './goals.ts';
import { renderTable } from './report/index.ts';
import type { BenchResults, ScenarioResult } from './results.ts';
import { type LocalTestbed, openTestbed } from './runner/local-testbed.ts';
import { commitOf, describeMachine } from './runner/machine.ts';
import { choosePlacement } from './runner/placement.ts';
import type { Progress } from './runner/progress.ts';
import { whenAborted } from './stopping.ts';
import type { Scenario } from './testbed.ts';

const root = fileURLToPath(new URL('../', import.meta.url));

/** Rounds per contestant, and seconds of measurement and warm-up in each run. */
const full = { rounds: 5, seconds: 2, warmUpSeconds: 8 };
const profiled = 'Profiled: the servers are slower than in a usual run.';
const quick = { rounds: 1, seconds: 0.6, warmUpSeconds: 0.6 };

export interface BenchOptions {
  /** As the user typed it. */
  readonly command: string;
  readonly progress: Progress;
  readonly signal: AbortSignal;
  /** Called after each scenario with all results so far, so that they are saved if the bench ends early. */
  readonly keep: (results: BenchResults) => Promise<unknown>;
}

/**
 * Runs scenarios on this machine, one after the other, and prints each one's table. A failed scenario is reported and
 * left out of the results.
 */
export async function runScenarios(
  params: ScenariosParams,
  { command, progress, signal, keep }: BenchOptions,
): Promise<{ readonly results: BenchResults; readonly failed: readonly string[] }> {
  const startedAt = new Date();
  const { isQuick, only, rounds, seconds, cpuProfiles } = params;
  const lengths = isQuick ? quick : full;
  const placement = await choosePlacement();
  const commit = await commitOf(root);
  const testbed = await openTestbed({
    ...lengths,
    ...defined({ rounds, seconds, cpuProfiles }),
    isQuick,
    only,
    placement,
    progress,
  });
  const done: ScenarioResult[] = [];
  const failed: string[] = [];
  const runAll = async () => {
    for (const scenario of params.scenarios) {
      const result = await run(scenario, testbed, cpuProfiles === undefined ? [] : [profiled]);
      if (signal.aborted) return;
      progress.clear();
      if (typeof result === 'string') failed.push(result);
      else {
        done.push(result);
        console.log(renderTable(result));
        await keep(await resultsSoFar());
      }
    }
  };
  const resultsSoFar = async (): Promise<BenchResults> => ({
    version: 2,
    startedAt: startedAt.toISOString(),
    durationS: (Date.now() - startedAt.getTime()) / 1000,
    command,
    mode: isQuick ? 'quick' : 'full',
    machine: describeMachine(placement.cores, await testbed.databaseVersions()),
    scenarios: [...done],
    // Profiling makes servers slower.
    goals: cpuProfiles === undefined ? goalsOf(done) : [],
    ...defined({ commit }),
  });
  try {
    await Promise.race([runAll(), whenAborted(signal)]);
    return { results: await resultsSoFar(), failed };
  } finally {
    await testbed[Symbol.asyncDispose]();
    progress.clear();
  }
}

/** @returns the failure as a sentence if the scenario failed. */
async function run(
  scenario: Scenario,
  testbed: LocalTestbed,
  remarks: readonly string[],
): Promise<ScenarioResult | string> {
  testbed.announce(scenario.name);
  try {
    const { name, title, what } = scenario;
    const { contestants, notes = [] } = await scenario.run(testbed);
    return { name, title, what, contestants, notes: [...notes, ...remarks] };
  } catch (error) {
    return `${scenario.name} failed: ${error instanceof Error ? error.message : String(error)}`;
  } finally {
    await testbed.stopAll();
  }
}

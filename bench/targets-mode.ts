import type { TargetsWish } from './arguments.ts';
import { judge } from './assertions.ts';
import { startClient } from './client/client.ts';
import { renderTable } from './report/index.ts';
import type { BenchResults, Run, ScenarioResult } from './results.ts';
import { describeMachine } from './runner/machine.ts';
import { runOf } from './runner/measure.ts';
import type { Progress } from './runner/progress.ts';
import type { LoadResult, RequestPlan } from './stage.ts';
import { whenAborted } from './stopping.ts';
import { choosePackages } from './targets/packages.ts';

export interface TargetsTools {
  readonly command: string;
  readonly progress: Progress;
  readonly signal: AbortSignal;
  write(results: BenchResults, folder: string): Promise<void>;
}

const warmUpShare = 0.1;
const warmUpMaxSeconds = 3;

/**
 * Puts a load on a deployment that runs already.
 * @returns the exit code: 1 when an assertion does not hold.
 * @throws Error with one line when it cannot be reached, or there is nothing that may be bought.
 */
export async function runTargets(wish: TargetsWish, tools: TargetsTools): Promise<number> {
  const { progress, signal, command } = tools;
  const startedAt = new Date();
  const chosen = await choosePackages(wish, signal);
  for (const line of chosen.notes) console.error(line);
  await using client = startClient({ under: [], onProgress: progress.pace });
  const plan: RequestPlan = { kind: wish.isReadOnly ? 'package' : 'buy', packages: chosen.packages };
  const warmUpSeconds = Math.min(warmUpMaxSeconds, wish.seconds * warmUpShare);
  const common = { origins: wish.origins, plan, seconds: wish.seconds, warmUpSeconds };
  const load = (): Promise<LoadResult> =>
    wish.rate === undefined
      ? client.closedLoop({ ...common, callers: wish.callers })
      : client.openLoop({ ...common, rate: wish.rate, connectionsMax: wish.callers });
  progress.step(`${wish.seconds} s of ${loadInWords(wish)}`);
  const parameters = wish.rate === undefined ? { callers: wish.callers } : { offered: wish.rate };
  const result = await Promise.race([load(), whenAborted(signal)]);
  progress.clear();
  const audit = { verdict: 'none', detail: 'a store of others: run npm run audit beside it' } as const;
  const run: Run = { ...runOf(result, { round: 1, parameters }), audit };
  const scenario = scenarioOf(wish, run, chosen.notes);
  console.log(renderTable(scenario));
  console.log(answersInWords(run));
  const results: BenchResults = {
    version: 1,
    startedAt: startedAt.toISOString(),
    durationS: (Date.now() - startedAt.getTime()) / 1000,
    command,
    mode: 'targets',
    machine: describeMachine({ client: 'any' }, []),
    scenarios: [scenario],
    goals: [],
  };
  await tools.write(results, wish.out);
  return report(wish, run);
}

function loadInWords({ rate, callers, isReadOnly, origins }: TargetsWish): string {
  const what = isReadOnly ? 'look-ups' : 'purchases';
  const where = origins.length === 1 ? (origins[0] as string) : `${origins.length} instances`;
  return rate === undefined ? `${what} by ${callers} callers at ${where}` : `${rate} ${what}/s at ${where}`;
}

function scenarioOf(wish: TargetsWish, run: Run, notes: readonly string[]): ScenarioResult {
  const { isReadOnly, rate, origins } = wish;
  const limited = Object.keys(run.answers).some((name) => name.startsWith('429'));
  return {
    name: isReadOnly ? 'targets-look-ups' : 'targets',
    title: `Load on ${origins.join(', ')}`,
    what:
      rate === undefined
        ? 'Each caller sends its next request when the last one was answered: a ceiling.'
        : 'Requests are sent on time whatever the answers do; latencies count from the intended send.',
    contestants: [{ name: 'targets', title: origins.join(', '), isOurs: true, runs: [run] }],
    notes: [...notes, ...(limited ? ['Answers 429: the deployment limits rates (RATE_LIMIT).'] : [])],
  };
}

function answersInWords({ answers, dropped, errors, cpu }: Run): string {
  const lines = Object.entries(answers).map(
    ([name, count]) => `  ${count.toLocaleString('en').padStart(12)}  ${name}`,
  );
  const client = `The client used ${(cpu.client ?? 0).toFixed(2)} cores; past 0.9 it is the client that is measured.`;
  return [
    'Answers',
    ...lines,
    `Not sent in time, or not answered: ${dropped}. Connections that failed: ${errors}.`,
    client,
    '',
  ].join('\n');
}

function report({ assertions }: TargetsWish, run: Run): number {
  let failures = 0;
  for (const assertion of assertions) {
    const { value, holds } = judge(assertion, run);
    const was = Number.isFinite(value) ? String(Number(value.toPrecision(6))) : 'nothing was measured';
    console.log(`${holds ? 'holds' : 'FAILS'}  ${assertion.text}  (${was})`);
    if (!holds) failures += 1;
  }
  return failures > 0 ? 1 : 0;
}

import type { TargetsWish } from './arguments.ts';
import { errorsOf, isFailure, type Judgement, judge } from './assertions.ts';
import { startClient } from './client/client.ts';
import { renderTable } from './report/index.ts';
import type { BenchResults, Run, ScenarioResult } from './results.ts';
import { describeMachine } from './runner/machine.ts';
import { perSecond, runOf } from './runner/measure.ts';
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
  const run: Run = { ...runOf(result, { round: 1, parameters }), ...measuredOf(result, wish), audit };
  const scenario = scenarioOf(wish, run, chosen.notes);
  console.log(renderTable(scenario));
  console.log(answersInWords(wish, run, result));
  const assertions = wish.assertions.map((assertion) => ({
    text: assertion.text,
    ...judge(assertion, run, wish.isReadOnly),
  }));
  const results: BenchResults = {
    version: 1,
    startedAt: startedAt.toISOString(),
    durationS: (Date.now() - startedAt.getTime()) / 1000,
    command,
    mode: 'targets',
    machine: describeMachine({ client: 'any' }, []),
    scenarios: [
      { ...scenario, notes: [...scenario.notes, ...errorNotes(result), ...assertions.map(inWords)] },
    ],
    goals: [],
    assertions: assertions.map(({ text, holds }) => ({ text, held: holds })),
  };
  await tools.write(results, wish.out);
  for (const assertion of assertions) console.log(inWords(assertion));
  return assertions.every(({ holds }) => holds) ? 0 : 1;
}

/** What the assertions are about: a purchase is timed to its outcome, a look-up until the package was shown. */
export function measuredOf(
  result: LoadResult,
  { isReadOnly }: Pick<TargetsWish, 'isReadOnly'>,
): Pick<Run, 'figures' | 'latencies'> {
  const { answer, outcome = answer, refusal } = result.latencies;
  const all = Object.keys(result.answers).reduce((sum, name) => sum + perSecond(result, name), 0);
  const finished = perSecond(result, '201');
  const latencies = {
    [isReadOnly ? 'shown' : 'outcome']: outcome,
    ...(answer.count === outcome.count ? {} : { answer }),
    ...(refusal.count === answer.count ? {} : { refusal }),
  };
  return {
    figures: isReadOnly ? { answered: all } : { finished, ...(finished === all ? {} : { answered: all }) },
    latencies: Object.fromEntries(Object.entries(latencies).filter(([, { count }]) => count > 0)),
  };
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

function answersInWords({ isReadOnly }: TargetsWish, run: Run, result: LoadResult): string {
  const { answers, dropped, cpu } = run;
  const lines = Object.entries(answers).map(([name, count]) => {
    const mark = isFailure(name, isReadOnly) ? '  (an error)' : '';
    return `  ${count.toLocaleString('en').padStart(12)}  ${name}${mark}`;
  });
  const client = `The client used ${(cpu.client ?? 0).toFixed(2)} cores; past 0.9 it is the client that is measured.`;
  return [
    'Answers',
    ...lines,
    `Not sent in time: ${dropped}. Errors, with such answers: ${errorsOf(run, isReadOnly)}.`,
    ...errorNotes(result),
    client,
    '',
  ].join('\n');
}

function errorNotes({ errors, reasons = {} }: LoadResult): string[] {
  const each = Object.entries(reasons).map(([reason, count]) => `${reason} ${count}`);
  return errors === 0 ? [] : [`Connections that failed, and requests without an answer: ${each.join(', ')}.`];
}

function inWords({ text, value, holds, why }: Judgement & { readonly text: string }): string {
  const was = Number.isFinite(value) ? String(Number(value.toPrecision(6))) : 'nothing was measured';
  return `${holds ? 'holds' : 'FAILS'}  ${text}  (${was}${why === undefined ? '' : `; ${why}`})`;
}

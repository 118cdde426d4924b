import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { defined } from '../src/lib/defined.ts';
import type { TargetsParams } from './arguments.ts';
import { evaluate } from './assertions.ts';
import { startClient } from './client/client.ts';
import { renderTable } from './report/index.ts';
import type { BenchResults, Run } from './results.ts';
import { describeMachine } from './runner/machine.ts';
import type { Progress } from './runner/progress.ts';
import { interruptedExitCode, whenAborted } from './stopping.ts';
import { auditDeployment } from './targets/audit.ts';
import { csvOf } from './targets/csv.ts';
import { errorNotes, formatAnswers, formatAssertion, formatAudit, headlineOf } from './targets/format.ts';
import { offeredOf, rateAt, shortened } from './targets/offered.ts';
import { type ChosenPackages, choosePackages } from './targets/packages.ts';
import { formatRateLimits, rateLimitAdvice, rateLimitFlaw } from './targets/rate-limited.ts';
import { formatLoad, parametersOf, runFrom, runsOf, scenarioOf } from './targets/runs.ts';
import type { LoadResult, RequestTemplate } from './testbed.ts';

export interface TargetsTools {
  readonly command: string;
  readonly progress: Progress;
  readonly signal: AbortSignal;
  write(results: BenchResults, folder: string): Promise<void>;
}

/** The measurement of a deployment. */
interface Measured {
  readonly result: LoadResult;
  readonly audit: Run['audit'];
  /** When the measured window began. */
  readonly startedAt: Date;
}

const warmUpShare = 0.1;
const warmUpMaxSeconds = 3;

/**
 * Puts load on a deployment that already runs. If it created a package, it archives it at the end, also after an error
 * or Ctrl-C.
 * @returns the exit code: 1 if an assertion fails, the audit has findings, or too many answers are 429.
 * @throws Error with one line if the deployment cannot be reached, or no package may be bought.
 */
export async function runTargets(params: TargetsParams, tools: TargetsTools): Promise<number> {
  const startedAt = new Date();
  const chosen = await choosePackages(params, tools.signal);
  for (const line of chosen.notes) console.error(line);
  const measured = await measure(params, tools, chosen);
  return conclude(params, tools, { ...measured, chosen, begunAt: startedAt });
}

async function measure(
  params: TargetsParams,
  tools: TargetsTools,
  { packages, own }: ChosenPackages,
): Promise<Measured> {
  const { progress, signal } = tools;
  let audit: Run['audit'] = { verdict: 'none', detail: 'the bench was stopped before it' };
  const auditNow = async () => {
    if (signal.aborted) return;
    progress.step('audit of the deployment');
    audit = await auditDeployment(params, signal);
    progress.clear();
  };
  let measured: Omit<Measured, 'audit'> | undefined;
  try {
    measured = await putLoad(params, tools, packages);
    if (own === undefined) await auditNow();
  } finally {
    if (own !== undefined) {
      progress.step(`ending the sale of package ${own.id}`);
      // The audit runs while no order of the package changes, so that it covers all of them.
      const words = await own.retire(measured === undefined ? undefined : auditNow);
      progress.clear();
      console.error(words);
    }
  }
  return { ...measured, audit };
}

async function putLoad(
  params: TargetsParams,
  { progress, signal }: TargetsTools,
  packages: readonly number[],
): Promise<Omit<Measured, 'audit'>> {
  let isLimited = false;
  let hasBegun = false;
  let startedAt = new Date();
  await using client = startClient({
    under: [],
    onProgress(sample) {
      progress.load(sample);
      if (sample.limited === 0 || isLimited) return;
      isLimited = true;
      progress.clear();
      console.error(rateLimitAdvice(params.isReadOnly));
    },
    onWindow(edge) {
      if (edge === 'end') return;
      hasBegun = true;
      startedAt = new Date();
    },
  });
  const { origins, headers, seconds, rate, stages, callers } = params;
  const request: RequestTemplate = { kind: params.isReadOnly ? 'package' : 'buy', packages, headers };
  const warmUpSeconds = Math.min(warmUpMaxSeconds, seconds * warmUpShare);
  const common = { origins, request, seconds, warmUpSeconds, timeline: true };
  const first = rate ?? stages?.[0]?.rate;
  const load = (): Promise<LoadResult> =>
    first === undefined
      ? client.closedLoop({ ...common, callers })
      : client.openLoop({
          ...common,
          rate: first,
          connectionsMax: callers,
          ...defined({ stages }),
        });
  progress.step(`${seconds} s of ${formatLoad(params)}`);
  const loading = load();
  const result = await Promise.race([loading, whenAborted(signal)]).catch((error: unknown) => {
    if (!signal.aborted || !hasBegun) throw error;
    // Stopping the client returns the results until Ctrl-C.
    client.stop();
    return loading;
  });
  progress.clear();
  return { result, startedAt };
}

async function conclude(
  asked: TargetsParams,
  { command, signal, write }: TargetsTools,
  {
    result,
    audit,
    startedAt,
    chosen,
    begunAt,
  }: Measured & { readonly chosen: ChosenPackages; readonly begunAt: Date },
): Promise<number> {
  const params = signal.aborted ? shortened(asked, result.seconds) : asked;
  const { isReadOnly, isLimitAllowed } = params;
  const { timeline = [] } = result;
  const whole: Run = { ...runFrom(result, params, parametersOf(params), audit), timeline };
  const limited = formatRateLimits(whole, { isReadOnly, isLimitAllowed });
  const offered = offeredOf(params);
  const flaws = [
    ...(signal.aborted ? [`STOPPED after ${result.seconds.toFixed(1)} s of ${asked.seconds} s.`] : []),
    ...rateLimitFlaw(whole, { isLimitAllowed }),
    ...(audit.verdict === 'void' ? ['VOID: the audit has findings.'] : []),
  ];
  const headline = headlineOf(whole, { isReadOnly, flaws, ...defined({ offered }) });
  const assertions = params.assertions.map((assertion) => ({
    text: assertion.text,
    ...evaluate(assertion, whole, isReadOnly),
  }));
  const scenario = scenarioOf(
    params,
    runsOf(
      whole,
      { ...result, stages: (result.stages ?? []).slice(0, params.stages?.length) },
      params,
      audit,
    ),
  );
  const notes = [...chosen.notes, `Audit: ${formatAudit(audit)}.`, ...errorNotes(result)];
  console.log(renderTable({ ...scenario, notes }));
  console.log(formatAnswers(params, whole, result));
  console.log(headline);
  const results: BenchResults = {
    version: 2,
    startedAt: begunAt.toISOString(),
    durationS: (Date.now() - begunAt.getTime()) / 1000,
    command,
    mode: 'targets',
    headline,
    machine: describeMachine({ client: 'any' }, []),
    scenarios: [
      {
        ...scenario,
        notes: [...(limited === undefined ? [] : [limited]), ...notes, ...assertions.map(formatAssertion)],
      },
    ],
    goals: [],
    assertions: assertions.map(({ text, holds }) => ({ text, held: holds })),
  };
  await write(results, params.out);
  if (params.csv !== undefined) {
    const file = resolve(params.csv);
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, csvOf(timeline, { startedAt, offeredAt: (second) => rateAt(params, second) }));
    console.log(file);
  }
  for (const assertion of assertions) console.log(formatAssertion(assertion));
  if (limited !== undefined) console.log(limited);
  if (audit.verdict === 'void') console.log(`The audit has findings: ${audit.detail}`);
  if (signal.aborted) return interruptedExitCode;
  return flaws.length === 0 && assertions.every(({ holds }) => holds) ? 0 : 1;
}

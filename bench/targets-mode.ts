import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import type { TargetsWish } from './arguments.ts';
import { errorsOf, isFailure, type Judgement, judge } from './assertions.ts';
import { startClient } from './client/client.ts';
import { renderTable } from './report/index.ts';
import type { BenchResults, Run, ScenarioResult } from './results.ts';
import { describeMachine } from './runner/machine.ts';
import { perSecond, ratesOf, runOf } from './runner/measure.ts';
import type { Progress } from './runner/progress.ts';
import type { LoadResult, RequestPlan } from './stage.ts';
import { afterCtrlC, whenAborted } from './stopping.ts';
import { auditOf } from './targets/audit.ts';
import { csvOf } from './targets/csv.ts';
import { headlineOf } from './targets/headline.ts';
import { limitedInWords, limitedShareMax, limitedShareOf, remedy } from './targets/limited.ts';
import { offeredOf, rateAt } from './targets/offered.ts';
import { type Chosen, choosePackages } from './targets/packages.ts';

export interface TargetsTools {
  readonly command: string;
  readonly progress: Progress;
  readonly signal: AbortSignal;
  write(results: BenchResults, folder: string): Promise<void>;
}

/** What was measured of a deployment. */
interface Measured {
  readonly result: LoadResult;
  readonly audit: Run['audit'];
  /** When the measured window began. */
  readonly startedAt: Date;
}

const warmUpShare = 0.1;
const warmUpMaxSeconds = 3;

/**
 * Puts a load on a deployment that runs already. A package that it makes for itself is taken away at the end, however
 * the bench ends.
 * @returns the exit code: 1 when an assertion does not hold, the audit has findings, or too many answers are 429.
 * @throws Error with one line when it cannot be reached, or there is nothing that may be bought.
 */
export async function runTargets(wish: TargetsWish, tools: TargetsTools): Promise<number> {
  const startedAt = new Date();
  const chosen = await choosePackages(wish, tools.signal);
  for (const line of chosen.notes) console.error(line);
  const measured = await measure(wish, tools, chosen);
  return conclude(wish, tools, { ...measured, chosen, begunAt: startedAt });
}

async function measure(wish: TargetsWish, tools: TargetsTools, { packages, own }: Chosen): Promise<Measured> {
  const { progress, signal } = tools;
  let audit: Run['audit'] = { verdict: 'none', detail: 'the bench was stopped before it' };
  const auditNow = async () => {
    progress.step('audit of the deployment');
    audit = await auditOf(wish, signal);
    progress.clear();
  };
  let measured: Omit<Measured, 'audit'> | undefined;
  try {
    measured = await putLoad(wish, tools, packages);
    if (own === undefined) await auditNow();
  } finally {
    if (own !== undefined) {
      progress.step(`ending the sale of package ${own.id}`);
      // While nothing of it moves, so that the audit can judge all of it.
      const words = await own.retire(measured === undefined ? undefined : auditNow);
      progress.clear();
      console.error(words);
    }
  }
  return { ...measured, audit };
}

async function putLoad(
  wish: TargetsWish,
  { progress, signal }: TargetsTools,
  packages: readonly number[],
): Promise<Omit<Measured, 'audit'>> {
  let isLimited = false;
  let startedAt = new Date();
  await using client = startClient({
    under: [],
    onProgress(sample) {
      progress.load(sample);
      if (sample.limited === 0 || isLimited) return;
      isLimited = true;
      progress.clear();
      console.error(remedy(wish.isReadOnly));
    },
    onWindow(edge) {
      if (edge === 'begin') startedAt = new Date();
    },
  });
  const { origins, headers, seconds, rate, stages, callers } = wish;
  const plan: RequestPlan = { kind: wish.isReadOnly ? 'package' : 'buy', packages, headers };
  const warmUpSeconds = Math.min(warmUpMaxSeconds, seconds * warmUpShare);
  const common = { origins, plan, seconds, warmUpSeconds, timeline: true };
  const first = rate ?? stages?.[0]?.rate;
  const load = (): Promise<LoadResult> =>
    first === undefined
      ? client.closedLoop({ ...common, callers })
      : client.openLoop({
          ...common,
          rate: first,
          connectionsMax: callers,
          ...(stages === undefined ? {} : { stages }),
        });
  progress.step(`${seconds} s of ${loadInWords(wish)}`);
  const result = await Promise.race([load(), whenAborted(signal)]);
  progress.clear();
  return { result, startedAt };
}

async function conclude(
  wish: TargetsWish,
  { command, signal, write }: TargetsTools,
  {
    result,
    audit,
    startedAt,
    chosen,
    begunAt,
  }: Measured & { readonly chosen: Chosen; readonly begunAt: Date },
): Promise<number> {
  const { isReadOnly, isLimitAllowed } = wish;
  const { timeline = [] } = result;
  const whole: Run = { ...runFrom(result, wish, parametersOf(wish), audit), timeline };
  const limited = limitedInWords(whole, { isReadOnly, isLimitAllowed });
  const offered = offeredOf(wish);
  const headline = headlineOf(whole, { isReadOnly, ...(offered === undefined ? {} : { offered }) });
  const assertions = wish.assertions.map((assertion) => ({
    text: assertion.text,
    ...judge(assertion, whole, isReadOnly),
  }));
  const scenario = scenarioOf(wish, runsOf(whole, result, wish, audit));
  const notes = [...chosen.notes, `Audit: ${auditInWords(audit)}.`, ...errorNotes(result)];
  console.log(renderTable({ ...scenario, notes }));
  console.log(answersInWords(wish, whole, result));
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
        notes: [...(limited === undefined ? [] : [limited]), ...notes, ...assertions.map(inWords)],
      },
    ],
    goals: [],
    assertions: assertions.map(({ text, holds }) => ({ text, held: holds })),
  };
  await write(results, wish.out);
  if (wish.csv !== undefined) {
    const file = resolve(wish.csv);
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, csvOf(timeline, { startedAt, offeredAt: (second) => rateAt(wish, second) }));
    console.log(file);
  }
  for (const assertion of assertions) console.log(inWords(assertion));
  if (limited !== undefined) console.log(limited);
  if (audit.verdict === 'void') console.log(`The audit has findings: ${audit.detail}`);
  if (signal.aborted) return afterCtrlC;
  const isUsable = isLimitAllowed || limitedShareOf(whole) <= limitedShareMax;
  const isClean = audit.verdict !== 'void';
  return isUsable && isClean && assertions.every(({ holds }) => holds) ? 0 : 1;
}

function runFrom(
  result: LoadResult,
  wish: TargetsWish,
  parameters: Record<string, number>,
  audit: Run['audit'],
): Run {
  return { ...runOf(result, { round: 1, parameters }), ...measuredOf(result, wish), audit };
}

/** Each stage is a run of its own; two at the same rate are two rounds of it. */
function runsOf(whole: Run, { stages = [] }: LoadResult, wish: TargetsWish, audit: Run['audit']): Run[] {
  if (stages.length === 0) return [whole];
  const seen = new Map<number, number>();
  const runs = stages.map((stage, index) => {
    const offered = wish.stages?.[index]?.rate ?? 0;
    const round = (seen.get(offered) ?? 0) + 1;
    seen.set(offered, round);
    return { ...runFrom(stage, wish, { offered }, audit), round };
  });
  const [first, ...others] = runs;
  return [{ ...(first as Run), ...(whole.timeline && { timeline: whole.timeline }) }, ...others];
}

/** What the assertions are about: a purchase is timed to its outcome, a look-up until the package was shown. */
export function measuredOf(
  result: LoadResult,
  { isReadOnly }: Pick<TargetsWish, 'isReadOnly'>,
): Pick<Run, 'figures' | 'latencies'> {
  const { answer, outcome, refusal } = result.latencies;
  const { finished = 0, answered = finished, ...rates } = ratesOf(result);
  const shownPerSecond = perSecond(result, '200');
  const latencies = {
    [isReadOnly ? 'shown' : 'outcome']: outcome,
    ...(answer.count === outcome.count ? {} : { answer }),
    ...(refusal.count === answer.count || refusal.count === 0 ? {} : { refusal }),
  };
  return {
    figures: isReadOnly
      ? { ...(shownPerSecond === answered ? {} : { shownPerSecond }), answered }
      : { finished, ...rates, ...(finished === answered ? {} : { answered }) },
    latencies: Object.fromEntries(Object.entries(latencies).filter(([, { count }]) => count > 0)),
  };
}

function parametersOf({ rate, stages, callers }: TargetsWish): Record<string, number> {
  if (rate !== undefined) return { offered: rate };
  return stages === undefined ? { callers } : {};
}

function loadInWords(wish: TargetsWish): string {
  const { rate, stages, callers, isReadOnly } = wish;
  const what = isReadOnly ? 'look-ups' : 'purchases';
  const where = whereOf(wish);
  if (stages !== undefined)
    return `${what} at ${where}, ${stages.map((stage) => `${stage.rate}/s for ${stage.seconds} s`).join(', ')}`;
  return rate === undefined ? `${what} by ${callers} callers at ${where}` : `${rate} ${what}/s at ${where}`;
}

function whereOf({ origins }: TargetsWish): string {
  return origins.length === 1 ? (origins[0] as string) : `${origins.length} instances`;
}

function scenarioOf(wish: TargetsWish, runs: readonly Run[]): ScenarioResult {
  const { isReadOnly, rate, stages } = wish;
  return {
    name: isReadOnly ? 'targets-look-ups' : 'targets',
    title: `Load on ${whereOf(wish)}`,
    what:
      rate === undefined && stages === undefined
        ? 'Each caller sends its next request when the last one was answered: a ceiling.'
        : 'Requests are sent on time whatever the answers do; latencies count from the intended send.',
    contestants: [{ name: 'targets', title: whereOf(wish), isOurs: true, runs }],
    notes: [],
  };
}

function auditInWords({ verdict, detail }: Run['audit']): string {
  const state = { clean: 'clean', void: 'FINDINGS', none: 'could not be had' }[verdict];
  return `${state}, ${detail}`;
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

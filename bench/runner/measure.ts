import { defined } from '../../src/lib/defined.ts';
import { outcomesIn } from '../client/outcomes.ts';
import type { LatencyName, RunFigures, RunParameters } from '../report/figure-names.ts';
import type { Percentiles, Run } from '../results.ts';
import type { Deployment, LoadResult, Testbed, WebhookCounts } from '../testbed.ts';

/** A run before the audit of its deployment. All of its names have labels in the report. */
export interface UnauditedRun extends Omit<Run, 'audit' | 'figures' | 'latencies' | 'parameters'> {
  readonly figures: RunFigures;
  readonly latencies: Readonly<Partial<Record<LatencyName, Percentiles>>>;
  readonly parameters: RunParameters;
}

/** The round and the varied parameters of a run. */
export interface RunContext {
  readonly round: number;
  readonly parameters: RunParameters;
}

/**
 * Puts load on a deployment, and measures the cores of all parts during it, the CPU time of each purchase, and the
 * webhooks that it delivers and owes.
 */
export async function measure(
  testbed: Testbed,
  deployment: Pick<Deployment, 'pids' | 'databasePids' | 'webhooks'>,
  circumstances: RunContext,
  load: () => Promise<LoadResult>,
): Promise<UnauditedRun> {
  const before = await deployment.webhooks?.();
  const startedAt = performance.now();
  const { result, server, databases, profile } = await useOf(testbed, deployment, load);
  const loadSeconds = (performance.now() - startedAt) / 1000;
  const webhooks = webhookFigures(before, await deployment.webhooks?.(), loadSeconds);
  const run = runOf(result, circumstances);
  // The processes work for the purchases that finish in the window, whenever those were sent.
  const { finishedInWindow = 0, seconds } = result;
  const cost = costOf(server + databases, finishedInWindow / seconds);
  return {
    ...run,
    figures: { ...run.figures, ...cost, ...webhooks },
    cpu: { ...run.cpu, server, databases },
    ...defined({ profile }),
  };
}

/** Measures the cores of a deployment during the work, and profiles its servers if the bench does. */
export async function useOf<T>(
  testbed: Pick<Testbed, 'cpuOf' | 'profileOf'>,
  { pids, databasePids }: Pick<Deployment, 'pids' | 'databasePids'>,
  work: () => Promise<T>,
): Promise<{
  readonly result: T;
  readonly server: number;
  readonly databases: number;
  readonly profile: Run['profile'] | undefined;
}> {
  const {
    result: {
      result: { result, cores: databases },
      cores: server,
    },
    profile,
  } = await testbed.profileOf(pids, () => testbed.cpuOf(pids, () => testbed.cpuOf(databasePids, work)));
  return { result, server, databases, profile };
}

/** @param seconds of the load with its warm-up, in all of which webhooks are delivered. */
function webhookFigures(
  before: WebhookCounts | undefined,
  after: WebhookCounts | undefined,
  seconds: number,
): Pick<RunFigures, 'webhooksPerSecond' | 'webhooksOwed'> {
  if (before === undefined || after === undefined) return {};
  return { webhooksPerSecond: (after.delivered - before.delivered) / seconds, webhooksOwed: after.owed };
}

/**
 * The CPU time per purchase of all processes but the client.
 * @param cores that they use.
 * @returns nothing without purchases, or on systems without `/proc`.
 */
export function costOf(cores: number, purchasesPerSecond: number): Pick<RunFigures, 'costPerPurchaseUs'> {
  return cores > 0 && purchasesPerSecond > 0 ? { costPerPurchaseUs: (cores / purchasesPerSecond) * 1e6 } : {};
}

/** Converts a load's result to a run, without empty latencies and without figures that equal another one. */
export function runOf(result: LoadResult, { round, parameters }: RunContext): UnauditedRun {
  const { answer, outcome, refusal } = result.latencies;
  const latencies = {
    ...(answer.count === outcome.count || answer.count === refusal.count ? {} : { answer }),
    ...(outcome.count === refusal.count ? {} : { outcome }),
    refusal,
  };
  return {
    round,
    parameters,
    figures: ratesOf(result),
    latencies: Object.fromEntries(Object.entries(latencies).filter(([, { count }]) => count > 0)),
    answers: result.answers,
    dropped: result.dropped,
    errors: result.errors,
    cpu: { client: result.clientCpu },
  };
}

/** Leaves out `confirmedPerSecond` and `answered` if they equal `finished`. */
export function ratesOf(result: LoadResult): UnauditedRun['figures'] {
  const finished = outcomesIn(result.answers) / result.seconds;
  const confirmedPerSecond = perSecond(result, '201');
  const answered = answeredPerSecond(result);
  return {
    finished,
    ...(confirmedPerSecond === finished ? {} : { confirmedPerSecond }),
    ...(answered === finished ? {} : { answered }),
  };
}

/** Answers per second with this name. */
export function perSecond({ answers, seconds }: LoadResult, name: string): number {
  return (answers[name] ?? 0) / seconds;
}

function answeredPerSecond({ answers, seconds }: LoadResult): number {
  return Object.values(answers).reduce((sum, count) => sum + count, 0) / seconds;
}

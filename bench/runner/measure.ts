import type { Run } from '../results.ts';
import type { Deployment, LoadResult, Stage } from '../stage.ts';

/** A run before its deployment was audited. */
export type Unaudited = Omit<Run, 'audit'>;

/** What was varied, and the round. */
export interface Circumstances {
  readonly round: number;
  readonly parameters: Readonly<Record<string, number | string>>;
}

/** Puts a load on a deployment and counts the cores of all parts meanwhile. */
export async function measured(
  stage: Stage,
  { pids }: Pick<Deployment, 'pids'>,
  circumstances: Circumstances,
  load: () => Promise<LoadResult>,
): Promise<Unaudited> {
  const {
    result: { result, cores: databases },
    cores: server,
  } = await stage.cpuOf(pids, () => stage.cpuOf(stage.databasePids(), load));
  const run = runOf(result, circumstances);
  return { ...run, cpu: { ...run.cpu, server, databases } };
}

/** What is the same as another figure or latency, or was not there at all, is left out. */
export function runOf(result: LoadResult, { round, parameters }: Circumstances): Unaudited {
  const { answer, finished, refusal } = result.latencies;
  const isMixed = finished.count < answer.count && refusal.count < answer.count;
  const latencies = { ...(isMixed ? { answer } : {}), outcome: finished, refusal };
  const rates = { finished: perSecond(result, '201'), answered: answeredPerSecond(result) };
  return {
    round,
    parameters,
    figures: rates.finished === rates.answered ? { finished: rates.finished } : rates,
    latencies: Object.fromEntries(Object.entries(latencies).filter(([, { count }]) => count > 0)),
    answers: result.answers,
    dropped: result.dropped,
    errors: result.errors,
    cpu: { client: result.clientCpu },
  };
}

/** Answers per second with this name. */
export function perSecond({ answers, seconds }: LoadResult, name: string): number {
  return (answers[name] ?? 0) / seconds;
}

function answeredPerSecond({ answers, seconds }: LoadResult): number {
  return Object.values(answers).reduce((sum, count) => sum + count, 0) / seconds;
}

import { measure, type UnauditedRun } from '../runner/measure.ts';
import type { Deployment, RequestTemplate, Testbed } from '../testbed.ts';

/** Some designs are fastest with few callers, others with many: the better result counts. */
const callersTried = [64, 512];
/** With 512 callers, slow designs would take too long to answer the last requests of a quick bench. */
const quickCallersOfSlow = [64];

/** Measures the highest rate of a deployment with each number of callers. */
export async function ceilings(
  testbed: Testbed,
  deployment: Deployment,
  round: number,
  { request, isSlow = false }: { readonly request: RequestTemplate; readonly isSlow?: boolean },
): Promise<UnauditedRun[]> {
  const { origins } = deployment;
  const { seconds } = testbed;
  const tried = testbed.isQuick && isSlow ? quickCallersOfSlow : callersTried;
  const runs: UnauditedRun[] = [];
  let { warmUpSeconds } = testbed;
  for (const callers of tried) {
    const load = { origins, request, callers, seconds, warmUpSeconds };
    runs.push(
      await measure(testbed, deployment, { round, parameters: { callers } }, () => testbed.closedLoop(load)),
    );
    // The server is already warm.
    warmUpSeconds = testbed.warmUpSeconds / 3;
  }
  return runs;
}

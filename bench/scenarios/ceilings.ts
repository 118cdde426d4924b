import { measured, type Unaudited } from '../runner/measure.ts';
import type { Deployment, RequestPlan, Stage } from '../stage.ts';

/** Some designs are fastest with few callers, others with many: the better result counts. */
const callersTried = [64, 512];
/** With 512 callers, slow designs would take too long to answer the last requests of a quick bench. */
const quickCallersOfSlow = [64];

/** Measures the highest rate of a deployment with each number of callers. */
export async function ceilings(
  stage: Stage,
  deployment: Deployment,
  round: number,
  { plan, isSlow = false }: { readonly plan: RequestPlan; readonly isSlow?: boolean },
): Promise<Unaudited[]> {
  const { origins } = deployment;
  const { seconds } = stage;
  const tried = stage.isQuick && isSlow ? quickCallersOfSlow : callersTried;
  const runs: Unaudited[] = [];
  let { warmUpSeconds } = stage;
  for (const callers of tried) {
    const load = { origins, plan, callers, seconds, warmUpSeconds };
    runs.push(
      await measured(stage, deployment, { round, parameters: { callers } }, () => stage.closedLoop(load)),
    );
    // The server is already warm.
    warmUpSeconds = stage.warmUpSeconds / 3;
  }
  return runs;
}

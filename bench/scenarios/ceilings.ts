import { measured, type Unaudited } from '../runner/measure.ts';
import type { Deployment, RequestPlan, Stage } from '../stage.ts';

/** Some designs do best with few callers, some with many: each is taken at its better one. */
const callersTried = [64, 512];
/** Of those that finish a hundred per second, 512 callers would keep a quick bench waiting for their answers. */
const quickCallersOfSlow = [64];

/** What a deployment can finish at most, by the number of callers. */
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
    // It is warm.
    warmUpSeconds = stage.warmUpSeconds / 3;
  }
  return runs;
}

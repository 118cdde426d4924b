import { measured, perSecond, type Unaudited } from '../runner/measure.ts';
import { inRounds } from '../runner/rounds.ts';
import type { Deployment, Scenario, Stage } from '../stage.ts';
import { entrants } from './contestants.ts';

const quota = 100;
const kinds = ['actor-mongodb', 'actor-sqlite', 'hello'];
const callers = 64;
const sellOutSeconds = 0.5;

export const scenario: Scenario = {
  name: 'sold-out',
  title: 'Sold-out storm',
  what:
    `A package of ${quota} is sold out, and ${callers} callers go on asking for it, without and with an ` +
    'Idempotency-Key (which has to be looked up first: its order might exist). Refusals per second.',
  async run(stage) {
    const contestants = await inRounds(
      stage,
      entrants(kinds, [{ id: 1, quota }]),
      (deployment, { isOurs }, round) => storms(stage, deployment, isOurs, round),
    );
    const { name, title, what } = scenario;
    const notes = ['Hello world refuses nothing: its answers are what the refusals are held against.'];
    return { name, title, what, contestants, notes };
  },
};

async function storms(
  stage: Stage,
  deployment: Deployment,
  isOurs: boolean,
  round: number,
): Promise<Unaudited[]> {
  const { origins } = deployment;
  const { seconds } = stage;
  const plan = { kind: 'buy', packages: [1] } as const;
  await stage.closedLoop({ origins, plan, callers, seconds: sellOutSeconds, warmUpSeconds: 0 });
  const runs: Unaudited[] = [];
  let { warmUpSeconds } = stage;
  for (const keys of [false, true]) {
    const parameters = { callers, keys: keys ? 'with' : 'without' };
    const load = { origins, plan: { ...plan, keys }, callers, seconds, warmUpSeconds };
    let refused = 0;
    const run = await measured(stage, deployment, { round, parameters }, async () => {
      const result = await stage.closedLoop(load);
      refused = perSecond(result, '409 sold_out');
      return result;
    });
    const { finished = 0, answered = finished } = run.figures;
    runs.push({ ...run, figures: isOurs ? { refused, answered } : { answered } });
    // The server is already warm.
    warmUpSeconds = stage.warmUpSeconds / 3;
  }
  return runs;
}

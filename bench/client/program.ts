import type { LoadResult, OpenLoop } from '../stage.ts';
import { closedLoop } from './closed-loop.ts';
import type { Tools } from './loop.ts';
import type { Measurement } from './measurement.ts';
import { Memory } from './memory.ts';
import { openLoop } from './open-loop.ts';
import { Names } from './requests.ts';
import type { ClientReply, ClientRequest } from './wire.ts';

const progressMs = 1_000;
/** Orders that are bought before the first look-up. */
const lookedUpMin = 500;

/** The measurement of the current load, or of the last one. */
let watched: Measurement | undefined;

const tools = {
  names: new Names(),
  memory: new Memory(),
  watch,
  onEdge: (edge: 'begin' | 'end') => tell({ kind: 'window', edge }),
} satisfies Tools;

process.on('message', (request: ClientRequest) => {
  if (request.kind === 'forget') return tools.memory.forget();
  if (request.kind === 'stop') return watched?.window.cut();
  run(request).then(
    (result) => tell({ kind: 'result', result }),
    (error: unknown) =>
      tell({ kind: 'failed', message: error instanceof Error ? error.message : String(error) }),
  );
});
// The parent process is gone.
process.on('disconnect', () => process.exit());

async function run(request: Exclude<ClientRequest, { kind: 'forget' | 'stop' }>): Promise<LoadResult> {
  const { load } = request;
  tools.memory.turnTo(load.origins);
  if (load.plan.kind === 'look-up') await buySome(load);
  return request.kind === 'closed' ? closedLoop(request.load, tools) : openLoop(request.load, tools);
}

/** @throws Error when the server sells nothing. */
async function buySome({ origins, plan }: Pick<OpenLoop, 'origins' | 'plan'>): Promise<void> {
  const { names, memory } = tools;
  const purchases = {
    origins,
    plan: { ...plan, kind: 'buy' },
    callers: 32,
    seconds: 0.25,
    warmUpSeconds: 0,
  } as const;
  for (let attempt = 0; attempt < 20 && memory.bought.length < lookedUpMin; attempt++) {
    await closedLoop(purchases, { names, memory });
  }
  if (memory.bought.length === 0) throw new Error('no order could be bought that could be looked up');
}

function watch(measurement: Measurement): () => void {
  watched = measurement;
  let before = { ...measurement.live };
  let at = performance.now();
  const timer = setInterval(() => {
    const now = performance.now();
    const { live } = measurement;
    const perSecond = (name: keyof typeof live) => ((live[name] - before[name]) * 1000) / (now - at);
    const p99 = measurement.p99();
    tell({
      kind: 'progress',
      sample: {
        sentPerSecond: perSecond('sent'),
        answeredPerSecond: perSecond('answered'),
        finishedPerSecond: perSecond('finished'),
        errors: live.errors,
        limited: live.limited,
        ...(p99 === undefined ? {} : { p99 }),
      },
    });
    before = { ...live };
    at = now;
  }, progressMs);
  return () => clearInterval(timer);
}

function tell(reply: ClientReply): void {
  process.send?.(reply);
}

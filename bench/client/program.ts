import { defined } from '../../src/lib/defined.ts';
import type { LoadResult, OpenLoop } from '../testbed.ts';
import { BoughtOrders } from './bought-orders.ts';
import { closedLoop } from './closed-loop.ts';
import type { LoopOptions } from './loop.ts';
import type { Measurement } from './measurement.ts';
import { openLoop } from './open-loop.ts';
import type { ClientReply, ClientRequest } from './protocol.ts';
import { UniqueNames } from './requests.ts';

const progressMs = 1_000;
/** Orders that are bought before the first look-up. */
const lookedUpMin = 500;

/** The measurement of the current load, or of the last one. */
let watched: Measurement | undefined;

const tools = {
  names: new UniqueNames(),
  memory: new BoughtOrders(),
  watch,
  onEdge: (edge: 'begin' | 'end') => tell({ kind: 'window', edge }),
} satisfies LoopOptions;

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
  if (load.request.kind === 'look-up') await buySome(load);
  return request.kind === 'closed' ? closedLoop(request.load, tools) : openLoop(request.load, tools);
}

/** @throws Error when the server sells nothing. */
async function buySome({ origins, request }: Pick<OpenLoop, 'origins' | 'request'>): Promise<void> {
  const { names, memory } = tools;
  const purchases = {
    origins,
    request: { ...request, kind: 'buy' },
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
        ...defined({ p99 }),
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

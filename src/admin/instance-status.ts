import { z } from 'zod';
import type { EngineLoad } from '../engine/operated-engine.ts';
import type { Json } from '../lib/json.ts';
import type { ProcessLoad } from '../observability/process-load.ts';
import type { InstanceLoad } from './admin-service.ts';

const figure = z.number().min(0);
const series = z.array(figure).max(120);
const activity = z.object({
  bucketMs: figure.min(1),
  endedAt: figure,
  purchasesPerS: series,
  batchSize: series,
  commitMs: series,
  recent: z.object({ purchasesPerS: figure, batchSize: figure, commitMs: figure }),
  mailbox: figure,
});

/** What an instance says of itself to the others: members that a newer release has added are left out. */
const ownStatus = z.object({
  state: z.enum(['ready', 'not_ready', 'draining']),
  missing: z.array(z.string().max(1_000)).max(20),
  suppliersAvailable: z.boolean(),
  startedAt: z.number(),
  version: z.string().max(100),
  load: z.object({
    packages: figure,
    mailbox: figure,
    sagas: figure,
    sockets: figure,
    eventLoopLagMs: figure,
    rssBytes: figure,
    purchasesPerS: figure,
  }),
  /** The busiest of those it acts for. */
  packages: z.array(z.object({ packageId: z.int(), activity })),
  /** Those it acts for besides. */
  others: z.array(z.int()),
});
export type OwnStatus = z.output<typeof ownStatus>;

/** One message can bear the series of so many packages. */
const busiestMax = 200;

export interface StatusParts {
  readonly engine: EngineLoad;
  /** What keeps it from taking orders, in words. */
  readonly missing: readonly string[];
  readonly suppliersAvailable: boolean;
  readonly process: ProcessLoad;
  readonly sockets: number;
  /** ms since the epoch. */
  readonly startedAt: number;
  /** Of the program. */
  readonly version: string;
}

/** What this instance says of itself. */
export function statusOf(parts: StatusParts): OwnStatus {
  const { engine, missing, suppliersAvailable, process, sockets, startedAt, version } = parts;
  const { packages, sagas, isDraining } = engine;
  const busiest = packages.toSorted((one, other) => rate(other) - rate(one));
  const load: InstanceLoad = {
    packages: packages.length,
    mailbox: sum(packages.map((owned) => owned.activity.mailbox)),
    sagas,
    sockets,
    ...process,
    purchasesPerS: Math.round(sum(packages.map(rate)) * 100) / 100,
  };
  return {
    state: isDraining ? 'draining' : missing.length > 0 ? 'not_ready' : 'ready',
    missing: missing.map((words) => words.slice(0, 1_000)),
    suppliersAvailable,
    startedAt,
    version,
    load,
    packages: structuredClone(busiest.slice(0, busiestMax)) as OwnStatus['packages'],
    others: busiest.slice(busiestMax).map(({ packageId }) => packageId),
  };
}

export function encodeStatus(status: OwnStatus): Json {
  return status as unknown as Json;
}

/** Undefined for what this release does not understand. */
export function decodeStatus(json: Json): OwnStatus | undefined {
  const parsed = ownStatus.safeParse(json);
  return parsed.success ? parsed.data : undefined;
}

function rate({ activity: { recent } }: EngineLoad['packages'][number]): number {
  return recent.purchasesPerS;
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, each) => total + each, 0);
}

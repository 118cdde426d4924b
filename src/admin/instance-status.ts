import { z } from 'zod';
import type { EngineLoad, OperatedEngine } from '../engine/operated-engine.ts';
import type { Clock } from '../lib/clock.ts';
import { settlesWithin } from '../lib/deadline.ts';
import type { Json } from '../lib/json.ts';
import type { ProcessLoad } from '../observability/process-load.ts';
import { type FailingSupplier, partnerKinds } from '../suppliers/suppliers.ts';

const number = z.number().min(0);
const series = z.array(number).max(120);

/** The load of an instance now. */
const instanceLoad = z.object({
  /** Number of packages that the instance owns. */
  packages: number,
  /** Messages in all mailboxes. */
  mailbox: number,
  /** Orders being booked or cancelled at the suppliers, including orders that wait for a free saga slot. */
  sagas: number,
  /** Open WebSockets. */
  sockets: number,
  /** The longest delay of a timer in the last second or two. */
  eventLoopLagMs: number,
  /** Resident memory. */
  rssBytes: number,
  /** Orders stored per second, averaged over the last ten seconds. */
  purchasesPerS: number,
});

/** The report of an instance to the others. Members that a newer release has added are dropped. */
const statusReport = z.object({
  /** `not_ready`: the instance runs but cannot take orders. */
  state: z.enum(['ready', 'not_ready', 'draining']),
  /** The reasons why the instance cannot take orders, as sentences; empty if it is ready. */
  missing: z.array(z.string().max(1_000)).max(20),
  /** False while the suppliers do not answer most of the packages that this instance has called them for recently. */
  suppliersAvailable: z.boolean(),
  /** The packages for which a kind of supplier does not answer. Instances of older releases do not report them. */
  failing: z
    .array(
      z.object({
        supplier: z.enum(partnerKinds),
        packages: number,
        firstPackages: z.array(z.int()).max(1_000),
        since: z.number(),
      }),
    )
    .default([]),
  /** When the process started, as Unix time in ms. */
  startedAt: z.number(),
  /** The version of the program. */
  version: z.string().max(100),
  load: instanceLoad,
  /** The busiest packages that the instance acts for. */
  packages: z.array(
    z.object({
      packageId: z.int(),
      activity: z.object({
        bucketMs: number.min(1),
        endedAt: number,
        purchasesPerS: series,
        batchSize: series,
        commitMs: series,
        recent: z.object({ purchasesPerS: number, batchSize: number, commitMs: number }),
        mailbox: number,
      }),
    }),
  ),
  /** The ids of the other packages that the instance acts for. */
  others: z.array(z.int()),
});
export type StatusReport = z.output<typeof statusReport>;

/** How many packages a report describes with their time series, so that it fits into one message between instances. */
const busiestMax = 200;

export interface StatusParts extends Pick<StatusReport, 'suppliersAvailable' | 'startedAt' | 'version'> {
  readonly failing: readonly FailingSupplier[];
  readonly missing: readonly string[];
  readonly engine: EngineLoad;
  readonly process: ProcessLoad;
  readonly sockets: number;
}

export function statusReportOf({
  engine,
  missing,
  failing,
  process,
  sockets,
  ...rest
}: StatusParts): StatusReport {
  const { packages, sagas, isDraining } = engine;
  const busiest = packages.toSorted((one, other) => rate(other) - rate(one));
  return {
    ...rest,
    state: isDraining ? 'draining' : missing.length > 0 ? 'not_ready' : 'ready',
    missing: missing.map((text) => text.slice(0, 1_000)),
    failing: structuredClone(failing) as StatusReport['failing'],
    load: {
      packages: packages.length,
      mailbox: packages.reduce((total, { activity }) => total + activity.mailbox, 0),
      sagas,
      sockets,
      ...process,
      purchasesPerS: Math.round(packages.reduce((total, each) => total + rate(each), 0) * 100) / 100,
    },
    packages: structuredClone(busiest.slice(0, busiestMax)) as StatusReport['packages'],
    others: busiest.slice(busiestMax).map(({ packageId }) => packageId),
  };
}

/** Undefined for a report that this release does not understand. */
export function decodeStatusReport(json: Json): StatusReport | undefined {
  return statusReport.safeParse(json).data;
}

function rate({ activity: { recent } }: EngineLoad['packages'][number]): number {
  return recent.purchasesPerS;
}

/** Longest wait for a check, because a status report must be complete within a second. */
const waitMs = 300;
/** A check that takes longer than this counts as a silent store. A store under load is slow, but quicker. */
const silentMs = 2_000;
const silence = ['the store, or the lease service, is silent'];

/**
 * Reports why an engine cannot take orders, to callers that cannot wait for a slow check. The check of an unavailable
 * store takes seconds. Meanwhile the probe returns the last result, and after two seconds it reports a silent store.
 */
export class ReadinessProbe {
  readonly #engine: Pick<OperatedEngine, 'readinessProblems'>;
  readonly #clock: Clock;
  #missing: readonly string[] = [];
  #check: { readonly since: number; readonly ended: Promise<void> } | undefined;

  constructor(engine: Pick<OperatedEngine, 'readinessProblems'>, clock: Clock) {
    this.#engine = engine;
    this.#clock = clock;
  }

  /** The reasons why the engine cannot take orders, as sentences; empty if it is ready. Takes at most 300 ms. */
  async read(): Promise<readonly string[]> {
    this.#check ??= { since: this.#clock.monotonic(), ended: this.#runCheck() };
    const check = this.#check;
    await settlesWithin(waitMs, check.ended, this.#clock);
    const isSilent = this.#check === check && this.#clock.monotonic() - check.since >= silentMs;
    return isSilent && this.#missing.length === 0 ? silence : this.#missing;
  }

  async #runCheck(): Promise<void> {
    try {
      this.#missing = await this.#engine.readinessProblems();
    } catch {
      this.#missing = silence;
    }
    this.#check = undefined;
  }
}

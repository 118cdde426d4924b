import type { Contestant, Percentiles, TimelineSecond } from './results.ts';

/** A file in `bench/scenarios/` exports one as `scenario`. */
export interface Scenario {
  /** The argument of `--scenario`. */
  readonly name: string;
  readonly title: string;
  /** What the scenario does and measures, in one or two sentences. */
  readonly what: string;
  /** Whether `--quick` leaves it out unless it is named, because it downloads much or takes long. */
  readonly isFullOnly?: boolean;
  run(testbed: Testbed): Promise<ScenarioRuns>;
}

/** The runs of a scenario, and remarks for the reader. */
export interface ScenarioRuns {
  readonly contestants: readonly Contestant[];
  readonly notes?: readonly string[];
}

/** How to start a server under test, which runs in processes of its own. */
export interface SystemUnderTest {
  /** `actor-sqlite`, `actor-mongodb`, `lock`, `queue`, `atomic`, `lua`, `floor-sqlite`, `floor-mongodb`, `hello`, `restate`. */
  readonly kind: string;
  /** Our servers only; default 1. */
  readonly instances?: number;
  /** The packages on sale. */
  readonly packages: readonly { readonly id: number; readonly quota: number }[];
  /**
   * Environment variables, which override the bench's defaults: `RATE_LIMIT=off`, `FLIGHT_FAILURE_RATE=0`,
   * `SUPPLIER_LATENCY_MS=0`.
   */
  readonly settings?: Readonly<Record<string, string>>;
  /** Whether our server sends webhooks, to a receiver that is started for it on the client's core. Default: false. */
  readonly webhooks?: boolean;
  /** `pinned` (the default) runs all of its processes on the servers' cores, `free` on any core. */
  readonly placement?: 'pinned' | 'free';
}

/** A running server under test. */
export interface Deployment {
  /** `http://127.0.0.1:<port>` of each instance. */
  readonly origins: readonly string[];
  /** The server processes, without databases. */
  readonly pids: readonly number[];
  /** The processes of the MongoDB and the Redis that it uses. */
  readonly databasePids: readonly number[];
  /** The webhooks so far; absent if it sends none. */
  webhooks?(): Promise<WebhookCounts>;
  /** Checks the stored data against the promises; `none` for servers that store nothing. */
  audit(): Promise<{ readonly verdict: 'clean' | 'void' | 'none'; readonly detail: string }>;
  /** Stops it and deletes its data. */
  stop(): Promise<void>;
}

/** The webhooks of a sale in which every purchase ends confirmed, so that each one owes a webhook. */
export interface WebhookCounts {
  /** How many the receiver has taken. */
  readonly delivered: number;
  /** How many it has yet to get. */
  readonly owed: number;
}

/** The request that each caller repeats. */
export interface RequestTemplate {
  /**
   * `buy`: `POST /api/orders`. `look-up`: `GET /api/orders/:id?email=…` of orders that this client bought at these
   * origins; without any, it buys some first. `package`: `GET /api/packages/:id`.
   */
  readonly kind: 'buy' | 'look-up' | 'package';
  readonly packages: readonly number[];
  /** Exponent of the Zipf distribution over the packages; 0 (the default) is uniform. */
  readonly zipf?: number;
  /**
   * Which origin gets a purchase: `any` (the default), or `hashed`, always the same one for a package, as behind a proxy
   * that hashes by the path `POST /api/packages/:id/orders`.
   */
  readonly spread?: 'any' | 'hashed';
  /** Whether each purchase has an Idempotency-Key of its own; default true. */
  readonly keys?: boolean;
  /** The `Prefer` header. */
  readonly prefer?: string;
  /** Further headers. */
  readonly headers?: readonly (readonly [name: string, value: string])[];
}

export interface ClosedLoop {
  readonly origins: readonly string[];
  readonly request: RequestTemplate;
  /** Connections, each with one request at a time. */
  readonly callers: number;
  readonly seconds: number;
  /** The load runs for this long before the measured window. */
  readonly warmUpSeconds: number;
  /** Whether to count each second separately. */
  readonly timeline?: boolean;
}

export interface OpenLoop extends Omit<ClosedLoop, 'callers'> {
  /** Requests per second over all origins. They are sent at their intended times, independent of answers. */
  readonly rate: number;
  /** Rates that follow each other, instead of `rate`. Their seconds must sum up to `seconds`. */
  readonly stages?: readonly RateStage[];
  readonly connectionsMax: number;
}

export interface RateStage {
  /** Requests per second. */
  readonly rate: number;
  readonly seconds: number;
}

/**
 * The results of the requests that were scheduled in the measured window and ended within 12 s after it. Rates and
 * latencies are of the same requests.
 */
export interface LoadResult {
  readonly seconds: number;
  /** Counts by status and problem code: `{ '201': 4000, '409 sold_out': 12 }`. */
  readonly answers: Readonly<Record<string, number>>;
  /** In ms; in an open loop measured from the intended send time. */
  readonly latencies: {
    readonly answer: Percentiles;
    /** Final outcomes as `isOutcome` defines them: for example not 202, 401, 429 and 503. */
    readonly outcome: Percentiles;
    /** The 201s. */
    readonly confirmed: Percentiles;
    /** The 4xx. */
    readonly refusal: Percentiles;
  };
  /** Requests of an open loop for which no connection was free in time. */
  readonly dropped: number;
  /** Failed connections and requests without an answer. */
  readonly errors: number;
  /** Errors by reason: `{ ECONNREFUSED: 3, 'no answer': 1 }`. */
  readonly reasons?: Readonly<Record<string, number>>;
  /** Cores used by the client. */
  readonly clientCpu: number;
  /**
   * Final outcomes that arrived in the window, including requests scheduled before it: the server's rate under
   * overload. The outcomes of the backlog arrive later and do not count.
   */
  readonly finishedInWindow?: number;
  /** The results of each stage of a load with several. */
  readonly stages?: readonly LoadResult[];
  readonly timeline?: readonly TimelineSecond[];
}

/** What a scenario needs to start servers and to put load on them. */
export interface Testbed {
  readonly isQuick: boolean;
  /** Rounds per contestant. */
  readonly rounds: number;
  /** Length of one run, unless the scenario needs another one. */
  readonly seconds: number;
  /** Warm-up before each run. */
  readonly warmUpSeconds: number;
  /** Whether `--only` includes this contestant. */
  wants(contestant: string): boolean;
  start(subject: SystemUnderTest): Promise<Deployment>;
  closedLoop(load: ClosedLoop): Promise<LoadResult>;
  openLoop(load: OpenLoop): Promise<LoadResult>;
  /** Cores that these processes use during the work; for a load, only during its measured window. */
  cpuOf<T>(pids: readonly number[], work: () => Promise<T>): Promise<{ result: T; cores: number }>;
  /**
   * Cores by part of the program, for the servers among these processes and the same time as `cpuOf`; absent if the
   * bench makes no profiles.
   */
  profileOf<T>(
    pids: readonly number[],
    work: () => Promise<T>,
  ): Promise<{ readonly result: T; readonly profile?: Readonly<Record<string, number>> }>;
  /** Resident memory of a process in bytes. */
  rss(pid: number): Promise<number>;
  /** Shows one line of progress. */
  progress(line: string): void;
}

import type { Percentiles, ScenarioResult, TimelineSecond } from './results.ts';

/** One file of `bench/scenarios/`, which exports it as `scenario`. */
export interface Scenario {
  /** As `--scenario` takes it. */
  readonly name: string;
  readonly title: string;
  /** One or two sentences: what is done, and what is measured. */
  readonly what: string;
  /** Not part of `--quick` unless it is named: it fetches much, or takes long. */
  readonly isFullOnly?: boolean;
  run(stage: Stage): Promise<ScenarioResult>;
}

/** A server under test, in processes of its own. */
export interface Subject {
  /** `actor-sqlite`, `actor-mongodb`, `lock`, `queue`, `atomic`, `lua`, `hello`, `restate`. */
  readonly kind: string;
  /** Ours only; default 1. */
  readonly instances?: number;
  /** What is on sale. */
  readonly packages: readonly { readonly id: number; readonly quota: number }[];
  /** Over the defaults of a bench: `RATE_LIMIT=off`, `FLIGHT_FAILURE_RATE=0`, `SUPPLIER_LATENCY_MS=0`. */
  readonly settings?: Readonly<Record<string, string>>;
  /** Default: its processes share the cores that are kept for servers. `free`: they run on any core. */
  readonly placement?: 'pinned' | 'free';
}

/** A subject that runs. */
export interface Deployment {
  /** `http://127.0.0.1:<port>` of each instance. */
  readonly origins: readonly string[];
  /** Its server processes (not the databases'). */
  readonly pids: readonly number[];
  /** Holds what is stored against the promises; `none` for what keeps nothing. */
  audit(): Promise<{ readonly verdict: 'clean' | 'void' | 'none'; readonly detail: string }>;
  /** Stops it and deletes its data. */
  stop(): Promise<void>;
}

/** What one caller sends, again and again. */
export interface RequestPlan {
  /**
   * `buy`: `POST /api/orders`; `look-up`: `GET /api/orders/:id?email=…` of orders that this client bought before at
   * these origins, or buys first where it has none; `package`: `GET /api/packages/:id`.
   */
  readonly kind: 'buy' | 'look-up' | 'package';
  readonly packages: readonly number[];
  /** Exponent of the Zipf distribution over the packages; 0 or absent: all alike. */
  readonly zipf?: number;
  /** Whether each purchase carries an Idempotency-Key of its own; default true. */
  readonly keys?: boolean;
  /** `Prefer`, if any. */
  readonly prefer?: string;
  /** More of them, by name. */
  readonly headers?: readonly (readonly [name: string, value: string])[];
}

export interface ClosedLoop {
  readonly origins: readonly string[];
  readonly plan: RequestPlan;
  /** Connections, each with one request under way. */
  readonly callers: number;
  readonly seconds: number;
  /** Before that, not measured. */
  readonly warmUpSeconds: number;
  /** Whether each second is counted apart. */
  readonly timeline?: boolean;
}

export interface OpenLoop extends Omit<ClosedLoop, 'callers'> {
  /** Requests per second over all origins, sent at their intended times whatever the answers do. */
  readonly rate: number;
  /** One rate after the other, instead of the one; their seconds add up to those of the load. */
  readonly stages?: readonly RateStage[];
  readonly connectionsMax: number;
}

export interface RateStage {
  /** Requests per second. */
  readonly rate: number;
  readonly seconds: number;
}

/**
 * What came of the requests that were meant to be sent in the measured window, whenever they ended within the grace
 * after it (12 s): one set of requests for rates and latencies.
 */
export interface LoadResult {
  readonly seconds: number;
  /** By status and problem code: `{ '201': 4000, '409 sold_out': 12 }`. */
  readonly answers: Readonly<Record<string, number>>;
  /** In ms; in an open loop from the intended send time. */
  readonly latencies: {
    readonly answer: Percentiles;
    /** Final outcomes, see `isOutcome`: not 202, 401, 429 or 503, say. */
    readonly outcome: Percentiles;
    /** The 201s. */
    readonly confirmed: Percentiles;
    /** The 4xx. */
    readonly refusal: Percentiles;
  };
  /** Found no free connection in time, in an open loop. */
  readonly dropped: number;
  /** Connections that could not be opened or broke, and requests without an answer. */
  readonly errors: number;
  /** The errors by what was wrong: `{ ECONNREFUSED: 3, 'no answer': 1 }`. */
  readonly reasons?: Readonly<Record<string, number>>;
  /** Cores that the client used. */
  readonly clientCpu: number;
  /**
   * Final outcomes that came in the window, whenever their requests were meant to be sent: what a server does under an
   * overload, whose backlog would count as more once it is over.
   */
  readonly finishedInWindow?: number;
  /** Each stage of the load, where it had several. */
  readonly stages?: readonly LoadResult[];
  readonly timeline?: readonly TimelineSecond[];
}

/** What scenarios work with. */
export interface Stage {
  readonly isQuick: boolean;
  /** Rounds per contestant. */
  readonly rounds: number;
  /** How long one run is measured, unless the scenario needs another length. */
  readonly seconds: number;
  /** Before each run. */
  readonly warmUpSeconds: number;
  /** `--only`: whether this contestant is wanted. */
  wants(contestant: string): boolean;
  start(subject: Subject): Promise<Deployment>;
  closedLoop(load: ClosedLoop): Promise<LoadResult>;
  openLoop(load: OpenLoop): Promise<LoadResult>;
  /** Cores used by these processes while the work runs; where it is a load, in its measured window alone. */
  cpuOf<T>(pids: readonly number[], work: () => Promise<T>): Promise<{ result: T; cores: number }>;
  /** The processes of MongoDB and Redis, for `cpuOf`. */
  databasePids(): readonly number[];
  /** Resident memory of a process in bytes. */
  rss(pid: number): Promise<number>;
  /** One line of live progress. */
  progress(line: string): void;
}

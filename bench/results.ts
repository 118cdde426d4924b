/**
 * The contents of `bench/results/*.json`, from which the report is drawn. Times are in ms, rates per second, memory in
 * bytes, `cpu` in cores.
 */
export interface BenchResults {
  /** In version 1 `finished` counted answers 201 within the window. bench/README.md explains version 2. */
  readonly version: 1 | 2;
  /** ISO 8601. */
  readonly startedAt: string;
  readonly durationS: number;
  /** As the user typed it. */
  readonly command: string;
  readonly mode: 'full' | 'quick' | 'targets';
  /** The result in one sentence; only against a deployment. */
  readonly headline?: string;
  readonly commit?: string;
  readonly machine: Machine;
  readonly scenarios: readonly ScenarioResult[];
  readonly goals: readonly GoalResult[];
  /** The results of `--assert`; only against a deployment. */
  readonly assertions?: readonly { readonly text: string; readonly held: boolean }[];
}

export interface Machine {
  readonly cpu: string;
  readonly cores: number;
  readonly memoryGiB: number;
  readonly os: string;
  readonly node: string;
  /** Names and versions of databases: `mongod 6.0.5`. */
  readonly servers: readonly string[];
  /** The cores to which each part was pinned: `{ client: '1', servers: '0' }`. */
  readonly placement: Readonly<Record<string, string>>;
}

export interface ScenarioResult {
  /** The argument of `--scenario`, such as `hot-package`. */
  readonly name: string;
  readonly title: string;
  /** What the scenario does and measures, in one or two sentences. */
  readonly what: string;
  readonly contestants: readonly Contestant[];
  /** Remarks on this run for the reader. */
  readonly notes: readonly string[];
}

/** One side of a comparison: a server, or a server with certain parameters. */
export interface Contestant {
  /** For example `actor-mongodb`. */
  readonly name: string;
  readonly title: string;
  /** Whether this is one of our servers, which speed-up plots compare with the others. */
  readonly isOurs: boolean;
  readonly runs: readonly Run[];
}

/** One measurement. Rounds are interleaved: each contestant runs once before the next round begins. */
export interface Run {
  readonly round: number;
  /** The values that the scenario varies: `{ callers: 512 }`, `{ offered: 2000 }`. */
  readonly parameters: Readonly<Record<string, number | string>>;
  /** Figures by name; bench/README.md explains them. `finished` is purchases per second. */
  readonly figures: Readonly<Record<string, number>>;
  /** Latencies by name: `outcome`, `answer`, `fanOut`, `refusal`. */
  readonly latencies: Readonly<Record<string, Percentiles>>;
  /** Answers by status and code: `{ '201': 4000, '409 sold_out': 12 }`. */
  readonly answers: Readonly<Record<string, number>>;
  /** Requests that the open loop could not send in time. */
  readonly dropped: number;
  /** Failed connections and requests without an answer. */
  readonly errors: number;
  /** Cores in use during the measurement, by part. */
  readonly cpu: Readonly<Record<string, number>>;
  /** Cores of the servers by part of the program; only of profiled runs. */
  readonly profile?: Readonly<Record<string, number>>;
  /** One entry for each second; only against a deployment. */
  readonly timeline?: readonly TimelineSecond[];
  /** A run that fails its audit is `void` and left out of all figures. */
  readonly audit: { readonly verdict: 'clean' | 'void' | 'none'; readonly detail: string };
}

/** The requests that were scheduled in one second of the measured window. */
export interface TimelineSecond {
  /** Seconds since the window began, starting at 0. */
  readonly second: number;
  /** Final outcomes; `confirmed` are the 201s among them. */
  readonly finished: number;
  readonly confirmed: number;
  /** Answered 202, with the outcome still open. */
  readonly accepted: number;
  /** Error answers, failed connections and requests without an answer. */
  readonly errors: number;
  /** Could not be sent in time. */
  readonly dropped: number;
  /** Latencies to the outcome in ms; absent without outcomes. */
  readonly p50?: number;
  readonly p99?: number;
  readonly max?: number;
}

/** Percentiles of an HDR histogram in ms. */
export interface Percentiles {
  readonly count: number;
  readonly mean: number;
  readonly p50: number;
  readonly p90: number;
  readonly p99: number;
  readonly p999: number;
  readonly max: number;
  /** Ascending pairs `[percentile, ms]` for the plot. */
  readonly curve: readonly (readonly [number, number])[];
  /**
   * The whole distribution in ms, as the text that tools of HdrHistogram write and read. It becomes a file beside the
   * JSON, which does not contain it.
   */
  readonly hgrm?: string;
}

export interface GoalResult {
  readonly scenario: string;
  readonly title: string;
  readonly atLeast?: number;
  readonly atMost?: number;
  /** One of `×`, `ms`, `KB`, `s`, `MB`, `%`, or empty. */
  readonly unit: string;
  /** Absent if this run did not measure it. */
  readonly value?: number;
  /** The value of a run that is too small for the goal: `{ value: 1.2, at: 'with 2,000 buyers' }`. */
  readonly smaller?: { readonly value: number; readonly at: string };
  /** What limits the value; only for a missed goal. */
  readonly why?: string;
}

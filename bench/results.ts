/**
 * What a bench writes to `bench/results/*.json` and what the report is drawn from. Times are in ms, rates per
 * second, memory in bytes; what is shared out over cores (`cpu`) is in cores.
 */
export interface BenchResults {
  /** 1: `finished` was what was answered 201 within the window. 2: see `finished` in bench/README.md. */
  readonly version: 1 | 2;
  /** ISO 8601. */
  readonly startedAt: string;
  readonly durationS: number;
  /** As it was typed. */
  readonly command: string;
  readonly mode: 'full' | 'quick' | 'targets';
  /** What came of it in a sentence, against a deployment. */
  readonly headline?: string;
  readonly commit?: string;
  readonly machine: Machine;
  readonly scenarios: readonly ScenarioResult[];
  readonly goals: readonly GoalResult[];
  /** `--assert`, against a deployment. */
  readonly assertions?: readonly { readonly text: string; readonly held: boolean }[];
}

export interface Machine {
  readonly cpu: string;
  readonly cores: number;
  readonly memoryGiB: number;
  readonly os: string;
  readonly node: string;
  /** Name and version of what else ran: `mongod 6.0.5`. */
  readonly servers: readonly string[];
  /** Which cores each part was pinned to: `{ client: '1', servers: '0' }`. */
  readonly placement: Readonly<Record<string, string>>;
}

export interface ScenarioResult {
  /** As `--scenario` takes it: `hot-package`. */
  readonly name: string;
  readonly title: string;
  /** One or two sentences: what is done, and what is measured. */
  readonly what: string;
  readonly contestants: readonly Contestant[];
  /** What the reader has to know of this run. */
  readonly notes: readonly string[];
}

/** One side of a comparison: a server of ours or of others, or one set of parameters of it. */
export interface Contestant {
  /** `actor-mongodb`. */
  readonly name: string;
  readonly title: string;
  /** The one the others are compared with in the speed-up bars. */
  readonly isOurs: boolean;
  readonly runs: readonly Run[];
}

/** One measurement: rounds are interleaved over the contestants. */
export interface Run {
  readonly round: number;
  /** What was varied within the scenario: `{ callers: 512 }`, `{ offered: 2000 }`. */
  readonly parameters: Readonly<Record<string, number | string>>;
  /** A rate or a figure by name: see `bench/README.md` for each. `finished` is purchases per second. */
  readonly figures: Readonly<Record<string, number>>;
  /** Latencies by name: `outcome`, `answer`, `fanOut`, `refusal`. */
  readonly latencies: Readonly<Record<string, Percentiles>>;
  /** Answers by status and code: `{ '201': 4000, '409 sold_out': 12 }`. */
  readonly answers: Readonly<Record<string, number>>;
  /** Requests that the open loop could not send in time. */
  readonly dropped: number;
  /** Connections that failed, and requests that got no answer. */
  readonly errors: number;
  /** Cores used while it was measured. */
  readonly cpu: Readonly<Record<string, number>>;
  /** Second by second, against a deployment. */
  readonly timeline?: readonly TimelineSecond[];
  /** A run that fails its audit is void: it counts for nothing. */
  readonly audit: { readonly verdict: 'clean' | 'void' | 'none'; readonly detail: string };
}

/** What became of the requests that were meant to be sent in one second of the measured window. */
export interface TimelineSecond {
  /** Seconds since the window began, from 0. */
  readonly second: number;
  /** Final outcomes; `confirmed` are those with a 201. */
  readonly finished: number;
  readonly confirmed: number;
  /** Answered 202: their outcome was still to come. */
  readonly accepted: number;
  /** Other answers, connections that failed, and requests without an answer. */
  readonly errors: number;
  /** Not sent in time. */
  readonly dropped: number;
  /** Latencies to the outcome in ms; absent where there was none. */
  readonly p50?: number;
  readonly p99?: number;
  readonly max?: number;
}

/** Of an HDR histogram, in ms. */
export interface Percentiles {
  readonly count: number;
  readonly mean: number;
  readonly p50: number;
  readonly p90: number;
  readonly p99: number;
  readonly p999: number;
  readonly max: number;
  /** `[percentile, ms]`, rising: the curve for the plot. */
  readonly curve: readonly (readonly [number, number])[];
}

export interface GoalResult {
  readonly scenario: string;
  readonly title: string;
  readonly atLeast?: number;
  readonly atMost?: number;
  /** `×`, `ms`, `KB`, `s`, `MB`, `%`. */
  readonly unit: string;
  /** Undefined where this run did not measure it. */
  readonly value?: number;
  /** What a run said of it that is smaller than what it is about: `{ value: 1.2, at: 'with 2,000 buyers' }`. */
  readonly smaller?: { readonly value: number; readonly at: string };
  /** Why a goal is missed, and what bounds it. */
  readonly why?: string;
}

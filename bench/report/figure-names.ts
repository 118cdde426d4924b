/**
 * The meaning of a figure. Names without a label here come from other versions: they are shown with a unit derived from
 * the last word of the name: `…Us`, `…Ms`, `…S`, `…Bytes`, `…KB`, `…MB`, `…Share` (0 to 1), `…Ratio`, `…PerSecond`,
 * `…Cores`. Scenarios can only use names that have a label (`FigureName`).
 */
export interface FigureMeaning {
  readonly label: string;
  readonly unit: Unit;
  readonly better: Better;
}

export type Unit = '/s' | 'µs' | 'ms' | 's' | 'bytes' | 'KB' | 'MB' | 'share' | '×' | 'cores' | '';
export type Better = 'higher' | 'lower' | 'neither';

const figures = {
  finished: { label: 'purchases finished', unit: '/s', better: 'higher' },
  confirmedPerSecond: { label: 'orders confirmed', unit: '/s', better: 'higher' },
  queuedPerSecond: { label: 'purchases queued', unit: '/s', better: 'higher' },
  goodput: { label: 'goodput', unit: '/s', better: 'higher' },
  answered: { label: 'requests answered', unit: '/s', better: 'higher' },
  ceiling: { label: 'ceiling', unit: '/s', better: 'higher' },
  offered: { label: 'offered', unit: '/s', better: 'neither' },
  sent: { label: 'sent', unit: '/s', better: 'neither' },
  shownPerSecond: { label: 'packages shown', unit: '/s', better: 'higher' },
  lookedUp: { label: 'orders looked up', unit: '/s', better: 'higher' },
  refused: { label: 'refusals', unit: '/s', better: 'higher' },
  messagesPerSecond: { label: 'messages received', unit: '/s', better: 'higher' },
  goodputRatio: { label: 'goodput against the ceiling', unit: '×', better: 'higher' },
  rssStartBytes: { label: 'memory before any load', unit: 'bytes', better: 'lower' },
  rssPeakBytes: { label: 'memory at its peak', unit: 'bytes', better: 'lower' },
  rssAfterBytes: { label: 'memory after the overload', unit: 'bytes', better: 'lower' },
  allSentMs: { label: 'until all are sent', unit: 'ms', better: 'neither' },
  allAnsweredMs: { label: 'until all are answered', unit: 'ms', better: 'lower' },
  refusalsUnder100msShare: { label: 'refusals within 100 ms', unit: 'share', better: 'higher' },
  lost: { label: 'buyers without an answer, and units unsold', unit: '', better: 'lower' },
  confirmed: { label: 'units sold', unit: '', better: 'neither' },
  drainedMs: { label: 'until the queue was empty', unit: 'ms', better: 'lower' },
  rssGrowth: { label: 'growth of memory under overload', unit: 'bytes', better: 'lower' },
  recoveredMs: { label: 'until all have the current state', unit: 'ms', better: 'lower' },
  rssPerSocketKB: { label: 'memory per socket', unit: 'KB', better: 'lower' },
  readyMs: { label: 'start to ready', unit: 'ms', better: 'lower' },
  costPerPurchaseUs: { label: 'CPU of all processes per purchase', unit: 'µs', better: 'lower' },
  forwardedCostUs: { label: 'CPU of all processes per forwarded purchase', unit: 'µs', better: 'lower' },
  webhooksPerSecond: { label: 'webhooks delivered', unit: '/s', better: 'neither' },
  webhooksOwed: { label: 'webhooks owed at the end', unit: '', better: 'neither' },
  idleRssMB: { label: 'memory when idle', unit: 'MB', better: 'lower' },
} as const satisfies Readonly<Record<string, FigureMeaning>>;

/** The figures that scenarios can measure; each has a label. */
export type FigureName = keyof typeof figures;
export type RunFigures = Readonly<Partial<Record<FigureName, number>>>;

/** The main figure of a scenario, which speed-up and throughput plots show; null for none. */
const mainFigures: Readonly<Record<string, string | null>> = {
  'sold-out': 'answered',
  'look-ups': 'lookedUp',
  'targets-look-ups': 'shownPerSecond',
  overload: 'goodput',
  cluster: 'costPerPurchaseUs',
  forwarded: 'costPerPurchaseUs',
  'flash-sale': null,
  live: null,
  start: null,
};

/** The main figure of any other scenario: the first of these that its runs have. */
const usualFigures = ['finished', 'goodput', 'confirmedPerSecond', 'queuedPerSecond', 'answered'];

const latencies = {
  outcome: 'to the outcome',
  shown: 'to the package shown',
  answer: 'to the answer',
  confirmed: 'to the confirmed order',
  fanOut: 'from the change to the socket',
  refusal: 'to the refusal',
  recovery: 'from the loss to the current state',
} as const;

export type LatencyName = keyof typeof latencies;

const parameters = {
  callers: 'callers',
  offered: 'offered',
  load: 'load',
  keys: 'idempotency keys',
  buyers: 'buyers',
  failureRate: 'share of flights that fail',
  instances: 'instances',
  path: 'purchases',
  sockets: 'sockets',
  orders: 'stored orders',
  packages: 'packages',
  waiting: 'length of the queue',
  idleSeconds: 'seconds idle',
} as const;

/** The parameters that scenarios can vary. */
export type ParameterName = keyof typeof parameters;
export type RunParameters = Readonly<Partial<Record<ParameterName, number | string>>>;

export function parameterLabel(name: string): string {
  return own(parameters, name) ?? splitName(name);
}

/** Whether a name in a run's JSON has a label here. */
export function hasLabel(kind: 'figure' | 'latency' | 'parameter', name: string): boolean {
  return Object.hasOwn({ figure: figures, latency: latencies, parameter: parameters }[kind], name);
}

function own<Value>(all: Readonly<Record<string, Value>>, name: string): Value | undefined {
  return Object.hasOwn(all, name) ? all[name] : undefined;
}

/** Runs with these parameters are open loops at a given rate, so they do not measure a ceiling. */
export const offeredParameters: readonly string[] = ['offered', 'rate'];

const bySuffix: readonly (readonly [RegExp, Unit, Better])[] = [
  [/Us$/, 'µs', 'lower'],
  [/(Ms|Millis)$/, 'ms', 'lower'],
  [/KB$/, 'KB', 'lower'],
  [/MB$/, 'MB', 'lower'],
  [/(Seconds|[a-z]S)$/, 's', 'lower'],
  [/(Bytes|Rss|rss)$/, 'bytes', 'lower'],
  [/Share$/, 'share', 'neither'],
  [/Ratio$/, '×', 'neither'],
  [/PerSecond$/, '/s', 'higher'],
  [/(Cores|Cpu|cpu)$/, 'cores', 'lower'],
];

export function meaningOf(figure: string): FigureMeaning {
  const known = own<FigureMeaning>(figures, figure);
  if (known) return known;
  for (const [pattern, unit, better] of bySuffix) {
    if (!pattern.test(figure)) continue;
    const stem = figure.replace(/(Us|Ms|Millis|KB|MB|Seconds|S|Bytes|Share|PerSecond)$/, '');
    return { label: splitName(stem === '' ? figure : stem), unit, better };
  }
  return { label: splitName(figure), unit: '', better: 'neither' };
}

export function latencyLabel(name: string): string {
  return own(latencies, name) ?? splitName(name);
}

/** @returns undefined for a scenario without a main figure, or if its runs lack it. */
export function mainFigureOf(scenario: string, names: ReadonlySet<string>): string | undefined {
  const own = mainFigures[scenario];
  if (own === null) return undefined;
  return [...(own === undefined ? [] : [own]), ...usualFigures].find((name) => names.has(name));
}

/** Turns a name into words: `refusedUnder100` becomes `refused under 100`; acronyms such as RSS stay. */
export function splitName(name: string): string {
  return name
    .replace(/([a-z])([A-Z0-9])/g, '$1 $2')
    .replace(/([0-9])([A-Za-z])/g, '$1 $2')
    .replaceAll(/[-_]+/g, ' ')
    .toLowerCase()
    .replaceAll(/\b(rss|cpu|p50|p90|p99)\b/g, (acronym) =>
      acronym.startsWith('p') ? acronym : acronym.toUpperCase(),
    );
}

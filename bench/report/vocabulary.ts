/**
 * What the figures, latencies and parameters of a run mean. A name that stands here is drawn and worded as it says;
 * any other is still shown, with a unit read from its last word: `…Us`, `…Ms`, `…S`, `…Bytes`, `…KB`, `…MB`,
 * `…Share` (0 to 1), `…Ratio`, `…PerSecond`, `…Cores`.
 */
export interface Meaning {
  readonly label: string;
  readonly unit: Unit;
  readonly better: Better;
}

export type Unit = '/s' | 'µs' | 'ms' | 's' | 'bytes' | 'KB' | 'MB' | 'share' | '×' | 'cores' | '';
export type Better = 'higher' | 'lower' | 'neither';

const figures: Readonly<Record<string, Meaning>> = {
  finished: { label: 'orders finished', unit: '/s', better: 'higher' },
  goodput: { label: 'goodput', unit: '/s', better: 'higher' },
  answered: { label: 'requests answered', unit: '/s', better: 'higher' },
  ceiling: { label: 'ceiling', unit: '/s', better: 'higher' },
  offered: { label: 'offered', unit: '/s', better: 'neither' },
  sent: { label: 'sent', unit: '/s', better: 'neither' },
  lookedUp: { label: 'orders looked up', unit: '/s', better: 'higher' },
  refused: { label: 'refusals', unit: '/s', better: 'higher' },
  messagesPerSecond: { label: 'messages received', unit: '/s', better: 'higher' },
  goodputRatio: { label: 'goodput against the ceiling', unit: '×', better: 'higher' },
  rssPeakBytes: { label: 'memory at its peak', unit: 'bytes', better: 'lower' },
  allSentMs: { label: 'until all are sent', unit: 'ms', better: 'neither' },
  allAnsweredMs: { label: 'until all are answered', unit: 'ms', better: 'lower' },
  refusalsUnder100msShare: { label: 'refusals within 100 ms', unit: 'share', better: 'higher' },
  lost: { label: 'buyers without an answer', unit: '', better: 'lower' },
  rssGrowth: { label: 'memory growth', unit: 'bytes', better: 'lower' },
  rssPerSocketKB: { label: 'memory per socket', unit: 'KB', better: 'lower' },
  readyMs: { label: 'start to ready', unit: 'ms', better: 'lower' },
  costPerPurchaseUs: { label: 'CPU of the server per purchase', unit: 'µs', better: 'lower' },
  idleRssMB: { label: 'memory when idle', unit: 'MB', better: 'lower' },
};

/** What a scenario is about, if it is a rate: the speed-up and the throughput show it. */
const mainFigures: Readonly<Record<string, string | null>> = {
  'sold-out': 'answered',
  'look-ups': 'lookedUp',
  overload: 'goodput',
  'flash-sale': null,
  live: null,
  start: null,
};

/** What any other scenario is about: the first of these that its runs have. */
const usualFigures = ['finished', 'goodput', 'answered'];

const latencies: Readonly<Record<string, string>> = {
  outcome: 'to the outcome',
  shown: 'to the package shown',
  answer: 'to the answer',
  finished: 'to the confirmed order',
  fanOut: 'from the change to the socket',
  refusal: 'to the refusal',
  ready: 'from start to ready',
};

const parameters: Readonly<Record<string, string>> = {
  orders: 'stored orders',
  waiting: 'length of the line',
};

export function parameterLabel(name: string): string {
  return parameters[name] ?? words(name);
}

/** Parameters whose runs are an open loop at a rate of their own, and so no measure of a ceiling. */
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

export function meaningOf(figure: string): Meaning {
  const known = figures[figure];
  if (known) return known;
  for (const [pattern, unit, better] of bySuffix) {
    if (!pattern.test(figure)) continue;
    const stem = figure.replace(/(Us|Ms|Millis|KB|MB|Seconds|S|Bytes|Share|PerSecond)$/, '');
    return { label: words(stem === '' ? figure : stem), unit, better };
  }
  return { label: words(figure), unit: '', better: 'neither' };
}

export function latencyLabel(name: string): string {
  return latencies[name] ?? words(name);
}

/** @returns the figure a scenario is about; undefined where it is about none, or its runs have none. */
export function mainFigureOf(scenario: string, names: ReadonlySet<string>): string | undefined {
  const own = mainFigures[scenario];
  if (own === null) return undefined;
  return [...(own === undefined ? [] : [own]), ...usualFigures].find((name) => names.has(name));
}

/** `refusedUnder100` becomes `refused under 100`; an acronym such as RSS stays one. */
export function words(name: string): string {
  return name
    .replace(/([a-z])([A-Z0-9])/g, '$1 $2')
    .replace(/([0-9])([A-Za-z])/g, '$1 $2')
    .replaceAll(/[-_]+/g, ' ')
    .toLowerCase()
    .replaceAll(/\b(rss|cpu|p50|p90|p99)\b/g, (acronym) =>
      acronym.startsWith('p') ? acronym : acronym.toUpperCase(),
    );
}

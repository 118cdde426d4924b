import type { Violation } from './checker/index.ts';
import { lanes } from './lanes.ts';

/** What a run came to. */
export interface ChaosReport {
  readonly ok: boolean;
  readonly seed: number;
  readonly minutes: number;
  /** Of the load alone, and of everything, in seconds. */
  readonly loadSeconds: number;
  readonly seconds: number;
  /** How long it took, with everything whole again, until nothing was under way any more. */
  readonly settledAfterMs: number;
  /** Purchases that were begun, however often each was sent, and those of them with a definite answer. */
  readonly purchases: number;
  readonly decided: number;
  /** Buyers who went away again at once: too many others were there. */
  readonly turnedAway: number;
  readonly requests: number;
  /** Orders that clients were shown, and those of them that were confirmed. */
  readonly orders: number;
  readonly confirmed: number;
  /** By answer, of every request to buy. */
  readonly answers: Readonly<Record<string, number>>;
  readonly faults: Readonly<Record<string, number>>;
  /** What the checker counted. */
  readonly figures: Readonly<Record<string, number>>;
  readonly violations: readonly Violation[];
}

/** From here on every kind of fault must have happened. */
const allFaultsFromMinutes = 2;
const linkLanes = { mongodb: 'mongodb', redis: 'redis', suppliers: 'suppliers', clients: 'clients' } as const;

/** Usually two of three orders are confirmed, and nineteen of twenty purchases decided. */
const least = { confirmed: 0.2, decided: 0.5 };

/**
 * A run that proves nothing is a failure: one in which hardly anything could be bought or was answered, as on a machine
 * with far too much to do, or without a fault that it is meant to have.
 */
export function hollow(
  minutes: number,
  {
    purchases,
    decided,
    orders,
    confirmed,
  }: Pick<ChaosReport, 'purchases' | 'decided' | 'orders' | 'confirmed'>,
  faults: ReadonlyMap<string, number>,
): Violation[] {
  const found: Violation[] = [];
  if (confirmed === 0 || confirmed < least.confirmed * orders)
    found.push({ rule: 'hollow', words: `only ${confirmed} of ${orders} orders were confirmed` });
  if (decided < least.decided * purchases)
    found.push({ rule: 'hollow', words: `only ${decided} of ${purchases} purchases had an answer` });
  if (minutes < allFaultsFromMinutes) return found;
  for (const fault of expectedFaults()) {
    if (!faults.has(fault)) found.push({ rule: 'hollow', words: `the fault '${fault}' never happened` });
  }
  return found;
}

/** As a tally names them. */
export function expectedFaults(): string[] {
  const names = new Set<string>();
  for (const [lane, { deck }] of Object.entries(lanes)) {
    const link = linkLanes[lane as keyof typeof linkLanes];
    for (const kind of deck) names.add(/^(delay|cut|blackhole)$/.test(kind) ? `${kind} ${link}` : kind);
  }
  return [...names];
}

/** For people. */
export function inWords(report: ChaosReport): string {
  const { seed, loadSeconds, seconds, settledAfterMs, purchases, decided, orders, confirmed } = report;
  const { turnedAway, requests, answers, faults, figures, violations } = report;
  return [
    ...table('Answers to purchases', answers),
    ...table('Faults', faults),
    ...table('Checked', figures),
    `seed ${seed}: ${purchases} purchases (${decided} decided, ${orders} orders, ${confirmed} confirmed; ${turnedAway} buyers turned away) in ${requests} requests,`,
    `${total(faults)} faults in ${loadSeconds.toFixed(0)} s of load; settled ${(settledAfterMs / 1000).toFixed(1)} s after them; ${seconds.toFixed(0)} s in all.`,
    ...violations.map(({ rule, words }) => `VIOLATION ${rule}: ${words}`),
    violations.length === 0 ? 'No violation.' : `${violations.length} violations.`,
  ].join('\n');
}

function table(title: string, counts: Readonly<Record<string, number>>): string[] {
  const rows = Object.entries(counts).map(([name, count]) => `${String(count).padStart(10)}  ${name}`);
  return [title, ...rows, ''];
}

function total(counts: Readonly<Record<string, number>>): number {
  return Object.values(counts).reduce((sum, count) => sum + count, 0);
}

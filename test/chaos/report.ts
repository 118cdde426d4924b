import type { Violation } from './checker/index.ts';
import { faultSequences, type SequenceName, sequencesOf } from './fault-sequences.ts';

/** The results of a run. */
export interface ChaosReport {
  readonly ok: boolean;
  readonly seed: number;
  readonly minutes: number;
  /** Duration of the load and of the whole run, in seconds. */
  readonly loadSeconds: number;
  readonly seconds: number;
  /** Time from healing all faults until nothing was in progress. */
  readonly settledAfterMs: number;
  /** Started purchases, each counted once in spite of retries, and how many of them got a definite answer. */
  readonly purchases: number;
  readonly decided: number;
  /** Buyers who left at once because there were too many buyers. */
  readonly turnedAway: number;
  readonly requests: number;
  /** Orders that clients have seen, and how many of them were confirmed. */
  readonly orders: number;
  readonly confirmed: number;
  /** Counts of all purchase requests by answer. */
  readonly answers: Readonly<Record<string, number>>;
  readonly faults: Readonly<Record<string, number>>;
  /** The checker's counts. */
  readonly figures: Readonly<Record<string, number>>;
  readonly violations: readonly Violation[];
}

/** A run of at least this length must contain every kind of fault, and every change of operators. */
const allFaultsFromMinutes = 2;
/** A run of at least this length must contain a fault of every sequence, and the most frequent changes of operators. */
const someFaultsFromMinutes = 0.5;
const linkSequences = {
  mongodb: 'mongodb',
  redis: 'redis',
  suppliers: 'suppliers',
  clients: 'clients',
} as const;

/** Counts of the checker that must not be 0 in a long run. */
export const expectedFigures = [
  ...['update 200', 'update 422 quota_too_low', 'pause 200', 'resume 200', 'retry 200', 'erase 200'],
  ...['emails erased', 'pauses checked', 'quotas checked after a change'],
];

/** The same for a long run with payments. */
export const paymentFigures = [
  ...['pay 303', 'decline 303', 'event 204', 'event 403 invalid_signature', 'payments made too late'],
  ...['payments paid', 'payments declined', 'payments cancelled', 'payments refunded'],
];

/**
 * A run of at least this length must also contain {@link calmFigure}. In a run of 2 minutes, each of the two calms may be too
 * short to be judged.
 */
const calmsFromMinutes = 5;
export const calmFigure = 'intervals in which one package failed alone';

/** Counts of the checker that must not be 0 in a short run either. */
export const frequentFigures = ['update 200', 'pause 200'];

/**
 * The least shares that a run must reach. Usually two of three orders are confirmed, and 19 of 20 purchases are
 * decided.
 */
const least = { confirmed: 0.2, decided: 0.5 };

/**
 * The reasons why a run proves too little and so fails: hardly any sales or answers, for example on an overloaded
 * machine, or a missing kind of fault.
 */
export function weaknesses(
  minutes: number,
  {
    purchases,
    decided,
    orders,
    confirmed,
  }: Pick<ChaosReport, 'purchases' | 'decided' | 'orders' | 'confirmed'>,
  faults: ReadonlyMap<string, number>,
  checked: Readonly<Record<string, number>>,
  hasPayments: boolean,
): Violation[] {
  const found: Violation[] = [];
  if (confirmed === 0 || confirmed < least.confirmed * orders)
    found.push({ rule: 'hollow', words: `only ${confirmed} of ${orders} orders were confirmed` });
  if (decided < least.decided * purchases)
    found.push({ rule: 'hollow', words: `only ${decided} of ${purchases} purchases had an answer` });
  if (minutes < someFaultsFromMinutes) return found;
  const isLong = minutes >= allFaultsFromMinutes;
  const expected = [
    ...(isLong ? expectedFigures : frequentFigures),
    ...(isLong && hasPayments ? paymentFigures : []),
    ...(minutes < calmsFromMinutes ? [] : [calmFigure]),
  ];
  for (const figure of expected) {
    if (!checked[figure]) found.push({ rule: 'hollow', words: `there was no '${figure}'` });
  }
  if (isLong) {
    for (const fault of expectedFaults(hasPayments)) {
      if (!faults.has(fault)) found.push({ rule: 'hollow', words: `the fault '${fault}' never happened` });
    }
  } else {
    for (const sequence of sequencesOf(hasPayments)) {
      if (!faultsOf(sequence).some((fault) => faults.has(fault)))
        found.push({ rule: 'hollow', words: `no fault of '${sequence}' happened` });
    }
  }
  return found;
}

/** The names of all faults that a long run must contain, as in the counts of a run. */
export function expectedFaults(hasPayments: boolean): string[] {
  return [...new Set(sequencesOf(hasPayments).flatMap(faultsOf))];
}

/** The names of a sequence's faults, as in the counts of a run. */
export function faultsOf(sequence: SequenceName): string[] {
  const link = linkSequences[sequence as keyof typeof linkSequences];
  return faultSequences[sequence].deck.map((kind) =>
    /^(delay|cut|blackhole)$/.test(kind) ? `${kind} ${link}` : kind,
  );
}

/** The report as text. */
export function formatReport(report: ChaosReport): string {
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

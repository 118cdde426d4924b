/** The kinds of faults, as the history names them. */
export type FaultKind =
  | 'kill'
  | 'pause'
  | 'rolling restart'
  | 'step-down'
  | 'kill primary'
  | 'freeze primary'
  | 'redis wiped'
  | 'redis restarted'
  | 'redis paused'
  | 'supplier errors'
  | 'supplier hangs'
  | 'supplier cuts'
  | 'supplier late'
  | 'suppliers paused'
  | 'package hangs'
  | 'package fails'
  | 'payment errors'
  | 'payment hangs'
  | 'refunds fail'
  | 'delay'
  | 'cut'
  | 'blackhole';

export type SequenceName =
  | 'instances'
  | 'more instances'
  | 'mongodb'
  | 'redis'
  | 'suppliers'
  | 'clients'
  | 'one package'
  | 'payments';

export interface FaultSequence {
  /** The kinds to draw from. Each kind occurs as often as its weight. */
  readonly deck: readonly FaultKind[];
  /** Average time between faults within a storm, in ms. */
  readonly everyMs: number;
  /** One fault fills each calm. It shows that everything else goes on. Then `everyMs` and `lasts` have no meaning. */
  readonly isInCalms?: boolean;
  /** Minimum and maximum duration of each kind in ms. */
  readonly lasts: Readonly<Partial<Record<FaultKind, readonly [number, number]>>>;
}

/** The lease duration of the cluster under test. */
export const leaseTtlMs = 2_000;

const link = { delay: [1_500, 5_000], cut: [500, 4_000], blackhole: [1_000, 5_000] } as const;
/** A pause that outlasts the lease. */
const pause = [leaseTtlMs * 1.25, leaseTtlMs * 3.5] as const;

/**
 * Within a sequence, a fault begins only after the fault before has ended. MongoDB has one sequence, so that a majority
 * always exists or is recovering. Instances have two sequences, so at least one of three instances has no fault.
 */
export const faultSequences: Readonly<Record<SequenceName, FaultSequence>> = {
  instances: {
    deck: [
      ...(['kill', 'pause', 'kill', 'pause', 'kill', 'pause', 'kill', 'pause', 'kill'] as const),
      'rolling restart',
    ],
    everyMs: 7_500,
    lasts: { kill: [0, 4_000], pause },
  },
  'more instances': { deck: ['pause', 'kill'], everyMs: 20_000, lasts: { kill: [0, 2_000], pause } },
  mongodb: {
    deck: ['step-down', 'kill primary', 'delay', 'step-down', 'freeze primary', 'cut', 'blackhole'],
    everyMs: 11_000,
    lasts: { ...link, 'kill primary': [500, 5_000], 'freeze primary': [2_000, 7_000] },
  },
  redis: {
    deck: ['redis wiped', 'redis restarted', 'delay', 'redis wiped', 'redis paused', 'cut', 'blackhole'],
    everyMs: 11_000,
    lasts: { ...link, 'redis restarted': [0, 3_000], 'redis paused': [500, 6_000] },
  },
  suppliers: {
    deck: [
      ...(['supplier errors', 'supplier hangs', 'supplier cuts', 'supplier late'] as const),
      ...(['suppliers paused', 'delay', 'cut', 'blackhole'] as const),
    ],
    everyMs: 10_000,
    lasts: {
      ...link,
      'supplier errors': [2_000, 6_000],
      'supplier hangs': [2_000, 6_000],
      'supplier cuts': [2_000, 6_000],
      'supplier late': [2_000, 6_000],
      'suppliers paused': [1_000, 4_000],
    },
  },
  'one package': { deck: ['package hangs', 'package fails'], everyMs: 0, lasts: {}, isInCalms: true },
  clients: { deck: ['delay', 'cut', 'blackhole'], everyMs: 12_000, lasts: link },
  // Last, so that the faults of all others are the same with and without payments.
  payments: {
    deck: ['payment errors', 'refunds fail', 'payment hangs'],
    everyMs: 9_000,
    lasts: {
      'payment errors': [2_000, 6_000],
      'payment hangs': [2_000, 6_000],
      'refunds fail': [3_000, 8_000],
    },
  },
};

/** The sequences of a run. While payments are off there is no payment provider that could fail. */
export function sequencesOf(hasPayments: boolean): SequenceName[] {
  const all = Object.keys(faultSequences) as SequenceName[];
  return all.filter((sequence) => hasPayments || sequence !== 'payments');
}

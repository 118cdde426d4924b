import type { Prng } from '../simulation/prng.ts';
import { clientsNow } from './clock.ts';
import type { PayEntry } from './history.ts';

/** What a buyer does with a payable order, and the share of such buyers. */
const habits = {
  pays: 0.42,
  'pays twice': 0.06,
  'pays too late': 0.07,
  'pays, then declines': 0.03,
  declines: 0.06,
  'declines, then pays': 0.03,
  cancels: 0.03,
  'never pays': 0.3,
} as const;
export type PayingHabit = keyof typeof habits;

export interface PayingOptions {
  /** When the order expires, in ms since 1970. */
  readonly payBy: number;
  /** Pays, or has the payment declined. */
  readonly act: (kind: PayEntry['kind']) => Promise<PayEntry>;
  /** Cancels the order. */
  readonly cancel: () => Promise<void>;
  readonly pause: (leastMs: number, mostMs: number) => Promise<void>;
  /** Aborts when the buyer must send no more requests. */
  readonly leaving: AbortSignal;
}

/** How long buyers take to pay, in ms. */
const takesMs = 2_500;
const lateMs = { least: 50, most: 5_000 } as const;
/** How often a buyer tries to pay who gets no answer. */
const triesMax = 4;

export function drawHabit(prng: Prng): PayingHabit {
  let draw = prng.fraction();
  for (const [habit, share] of Object.entries(habits) as [PayingHabit, number][]) {
    if (draw < share) return habit;
    draw -= share;
  }
  return 'never pays';
}

/** Does what buyers with this habit do with a payable order. */
export async function payAs(habit: PayingHabit, options: PayingOptions): Promise<void> {
  const { payBy, act, cancel, pause, leaving } = options;
  const insist = async (kind: PayEntry['kind']) => {
    for (let tries = 0; tries < triesMax && !leaving.aborted; tries++) {
      if ((await act(kind)).status !== undefined) return;
      await pause(100, 1_000);
    }
  };
  if (habit === 'never pays') return;
  const leftMs = Math.max(0, Math.ceil(payBy - clientsNow()));
  if (habit === 'pays too late') await pause(leftMs + lateMs.least, leftMs + lateMs.most);
  else await pause(0, takesMs);
  if (leaving.aborted) return;
  switch (habit) {
    case 'pays':
    case 'pays too late':
      return insist('pay');
    case 'pays twice':
      await Promise.all([insist('pay'), insist('pay')]);
      await pause(0, takesMs);
      return insist('pay');
    case 'pays, then declines':
      await insist('pay');
      return insist('decline');
    case 'declines':
      return insist('decline');
    case 'declines, then pays':
      await insist('decline');
      return insist('pay');
    case 'cancels':
      return cancel();
  }
}

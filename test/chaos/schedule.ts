import { Prng } from '../simulation/prng.ts';
import { type FaultKind, faultSequences, type SequenceName, sequencesOf } from './fault-sequences.ts';

/** A scheduled fault. */
export interface PlannedFault {
  /** Time since the beginning of the load, in ms. */
  readonly at: number;
  readonly sequence: SequenceName;
  readonly kind: FaultKind;
  /** Duration in ms. */
  readonly forMs: number;
  /** Seed for choices at the time of the fault, such as its target. */
  readonly seed: number;
}

/** Faults come in storms. After each storm there is a calm without faults, in which sales recover. */
export const storm = { stormMs: 30_000, calmMs: 12_000 } as const;

/**
 * Draws the times and kinds of all faults. The same seed gives the same schedule. Sequences run in parallel, so that
 * their faults overlap at random. Within a sequence one fault ends before the next begins. Each sequence draws its
 * kinds like cards from a deck: all kinds occur before one is repeated.
 */
export function drawSchedule(seed: number, minutes: number, hasPayments = false): PlannedFault[] {
  const prng = new Prng(seed);
  const windows = stormWindows(minutes * 60_000);
  const planned = sequencesOf(hasPayments).flatMap((sequence) =>
    faultSequences[sequence].isInCalms === true
      ? drawCalms(sequence, windows, prng.fork())
      : drawSequence(sequence, windows, prng.fork()),
  );
  return planned.sort((one, other) => one.at - other.at);
}

interface Window {
  readonly from: number;
  /** Length of the storm. */
  readonly ms: number;
  readonly calmMs: number;
}

/** A short run is one storm with a calm at its end. */
function stormWindows(totalMs: number): Window[] {
  const { stormMs, calmMs } = storm;
  const count = Math.floor(totalMs / (stormMs + calmMs));
  if (count === 0) return [{ from: 0, ms: totalMs * 0.75, calmMs: totalMs * 0.25 }];
  return Array.from({ length: count }, (_, index) => ({
    from: index * (stormMs + calmMs),
    ms: stormMs,
    calmMs,
  }));
}

/** One fault for each calm. It begins before the storm has ended, so that it has effects by then. */
function drawCalms(sequence: SequenceName, windows: readonly Window[], prng: Prng): PlannedFault[] {
  let hand: FaultKind[] = [];
  return windows.map(({ from, ms, calmMs }) => {
    if (hand.length === 0) hand = shuffled(faultSequences[sequence].deck, prng);
    const kind = hand.pop() as FaultKind;
    const earlyMs = Math.min(2_000, ms / 2);
    const seed = prng.whole(0, 2 ** 31);
    return { at: from + ms - earlyMs, sequence, kind, forMs: earlyMs + calmMs * 0.9, seed };
  });
}

function drawSequence(sequence: SequenceName, windows: readonly Window[], prng: Prng): PlannedFault[] {
  const { deck, everyMs } = faultSequences[sequence];
  const stormMs = windows.reduce((sum, { ms }) => sum + ms, 0);
  // Short runs have denser faults, so that each kind occurs at least once.
  const pitchMs = Math.min(everyMs, stormMs / (deck.length + 0.5));
  const planned: PlannedFault[] = [];
  let hand: FaultKind[] = [];
  let owed = 0;
  for (const { from, ms } of windows) {
    owed += ms / pitchMs;
    const count = Math.floor(owed);
    owed -= count;
    for (let index = 0; index < count; index++) {
      if (hand.length === 0) hand = shuffled(deck, prng);
      const kind = hand.pop() as FaultKind;
      const slotMs = ms / count;
      const [least, most] = faultSequences[sequence].lasts[kind] ?? [0, 0];
      planned.push({
        at: Math.round(from + (index + prng.between(0, 0.4)) * slotMs),
        sequence,
        kind,
        forMs: Math.round(prng.between(least, most)),
        seed: prng.whole(0, 2 ** 31),
      });
    }
  }
  return planned;
}

function shuffled(deck: readonly FaultKind[], prng: Prng): FaultKind[] {
  const cards = [...deck];
  for (let last = cards.length - 1; last > 0; last--) {
    const other = prng.whole(0, last);
    [cards[last], cards[other]] = [cards[other] as FaultKind, cards[last] as FaultKind];
  }
  return cards;
}

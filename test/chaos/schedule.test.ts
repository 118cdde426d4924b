import { describe, expect, it } from 'vitest';
import { faultSequences, sequencesOf } from './fault-sequences.ts';
import { drawSchedule, storm } from './schedule.ts';

const seeds = Array.from({ length: 200 }, (_, index) => index + 1);

function count(kinds: readonly { readonly kind: string }[], kind: string): number {
  return kinds.filter((each) => each.kind === kind).length;
}

describe('drawSchedule', () => {
  it('draws the same schedule for the same seed, and another one for another seed', () => {
    expect(drawSchedule(7, 20)).toEqual(drawSchedule(7, 20));
    expect(drawSchedule(7, 20)).not.toEqual(drawSchedule(8, 20));
  });

  it('adds the faults of payments, and changes no other', () => {
    const withoutPayments = drawSchedule(7, 20);
    const others = drawSchedule(7, 20, true).filter(({ sequence }) => sequence !== 'payments');
    expect(others).toEqual(withoutPayments);
    expect(withoutPayments.filter(({ sequence }) => sequence === 'payments')).toEqual([]);
  });

  it('has each fault of each sequence at least once within two minutes', () => {
    for (const seed of seeds) {
      const drawn = new Set(drawSchedule(seed, 2, true).map(({ sequence, kind }) => `${sequence}: ${kind}`));
      for (const [sequence, { deck }] of Object.entries(faultSequences))
        for (const kind of deck) expect(drawn, `seed ${seed}`).toContain(`${sequence}: ${kind}`);
    }
  });

  it('has a fault of each sequence within half a minute', () => {
    for (const seed of seeds) {
      const drawn = new Set(drawSchedule(seed, 0.5, true).map(({ sequence }) => sequence));
      expect([...drawn].toSorted(), `seed ${seed}`).toEqual(sequencesOf(true).toSorted());
    }
  });

  it('has 1.5 times as many faults as a run of 20 minutes needs', () => {
    for (const seed of seeds) {
      const drawn = drawSchedule(seed, 20);
      expect(count(drawn, 'kill')).toBeGreaterThanOrEqual(60);
      expect(count(drawn, 'pause')).toBeGreaterThanOrEqual(45);
      expect(count(drawn, 'step-down')).toBeGreaterThanOrEqual(15);
      expect(count(drawn, 'redis wiped')).toBeGreaterThanOrEqual(15);
    }
  });

  it('starts no fault in a calm or after the end, and starts the sequences at different times', () => {
    for (const minutes of [0.25, 2, 20]) {
      const drawn = drawSchedule(3, minutes, true);
      expect(drawn.length).toBeGreaterThan(0);
      for (const { at, forMs } of drawn) {
        expect(forMs).toBeGreaterThanOrEqual(0);
        expect(at).toBeLessThan(minutes * 60_000);
        if (minutes >= 2) expect(at % (storm.stormMs + storm.calmMs)).toBeLessThan(storm.stormMs);
      }
      const lanesAt = Map.groupBy(drawn, ({ at }) => at);
      expect([...lanesAt.values()].filter(({ length }) => length > 1).length).toBeLessThan(drawn.length / 10);
    }
  });

  it('fills each calm with the failure of one package', () => {
    for (const minutes of [0.5, 2, 20]) {
      const alone = drawSchedule(3, minutes).filter(({ sequence }) => sequence === 'one package');
      const windowMs = minutes < 2 ? minutes * 60_000 : storm.stormMs + storm.calmMs;
      expect(alone).toHaveLength(Math.floor((minutes * 60_000) / windowMs));
      for (const { at, forMs } of alone) {
        const calmMs = minutes < 2 ? windowMs * 0.25 : storm.calmMs;
        const left = windowMs - ((at + forMs) % windowMs);
        expect(left).toBeGreaterThan(0);
        expect(left).toBeLessThan(calmMs / 2);
        expect(forMs).toBeGreaterThan(calmMs * 0.9);
      }
    }
  });

  it('lets the faults of a sequence follow each other', () => {
    for (const sequence of sequencesOf(true)) {
      const times = drawSchedule(5, 20, true).flatMap((each) =>
        each.sequence === sequence ? [each.at] : [],
      );
      expect(times).toEqual(times.toSorted((one, other) => one - other));
      expect(new Set(times).size).toBe(times.length);
    }
  });
});

import { describe, expect, test } from 'vitest';
import { Candidates, preference } from './candidates.ts';

describe('preference', () => {
  const members = ['a', 'b', 'c'];
  const actors = Array.from({ length: 3_000 }, (_, index) => index + 1);

  test('does not depend on the sequence of the members', () => {
    for (const actor of actors.slice(0, 100)) {
      expect(preference(actor, ['c', 'a', 'b'])).toEqual(preference(actor, members));
    }
  });

  test('is spread evenly over the members', () => {
    const counts = members.map(
      (member) => actors.filter((actor) => preference(actor, members)[0] === member).length,
    );
    for (const count of counts) expect(count).toBeGreaterThan(850);
  });

  test('changes only for the actors of a member that leaves, each to its next member', () => {
    for (const actor of actors) {
      const before = preference(actor, members);
      const after = preference(actor, ['a', 'b']);
      expect(after).toEqual(before.filter((member) => member !== 'c'));
    }
  });
});

describe('candidates', () => {
  const members = ['a', 'b', 'c'];
  const candidates = new Candidates(() => members);

  test('prefer the first in the order of preference', () => {
    for (let actor = 1; actor <= 1_000; actor++) {
      expect(candidates.preferred(actor)).toBe(preference(actor, members)[0]);
    }
    expect(candidates.preferred(1, [])).toBeUndefined();
  });

  test('that cannot own an actor come last', () => {
    const [first = '', second = '', third = ''] = preference(7, members);
    candidates.addUnable(first, [7]);
    expect(candidates.ranked(7)).toEqual([second, third, first]);
    expect(candidates.preferred(7)).toBe(second);
    expect(candidates.preferred(8)).toBe(preference(8, members)[0]);
    candidates.setUnable(first, []);
    expect(candidates.preferred(7)).toBe(first);
    for (const member of members) candidates.addUnable(member, [7]);
    expect(candidates.preferred(7)).toBe(first);
  });
});

import { expect, test } from 'vitest';
import { preference } from './rendezvous.ts';

const members = ['a', 'b', 'c'];
const actors = Array.from({ length: 3_000 }, (_, index) => index + 1);

test('everybody gets the same order, whatever order the members come in', () => {
  for (const actor of actors.slice(0, 100)) {
    expect(preference(actor, ['c', 'a', 'b'])).toEqual(preference(actor, members));
  }
});

test('actors are spread evenly over the members', () => {
  const counts = members.map(
    (member) => actors.filter((actor) => preference(actor, members)[0] === member).length,
  );
  for (const count of counts) expect(count).toBeGreaterThan(850);
});

test('when a member leaves only its own actors move, and to the next in their order', () => {
  for (const actor of actors) {
    const before = preference(actor, members);
    const after = preference(actor, ['a', 'b']);
    expect(after).toEqual(before.filter((member) => member !== 'c'));
  }
});

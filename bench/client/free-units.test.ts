import { expect, it } from 'vitest';
import { freeUnitsOf } from './free-units.ts';

const stay = (id: number, free: string) =>
  `<hx-partial hx-target="#stay-${id}"><span id="stay-${id}"><span class="stay-status" id="stay-${id}-status" ` +
  `data-open-words="${free} places left">${free} ${free === '1' ? 'place' : 'places'} left</span></span></hx-partial>`;

function found(packageId: number, ...messages: string[]): (number | undefined)[] {
  const freeUnits = freeUnitsOf(packageId);
  return messages.map((message) => {
    // The message does not begin at the start of the buffer.
    const bytes = Buffer.from(`..${message}..`);
    return freeUnits(bytes, 2, 2 + Buffer.byteLength(message));
  });
}

it('finds the free units of its own package only', () => {
  expect(found(1, stay(1, '5'), stay(1, '99,995'), stay(12, '3') + stay(1, '1'))).toEqual([5, 99_995, 1]);
});

it('ignores messages about other packages or the time, also after a match', () => {
  const messages = [
    stay(1, '5'),
    stay(2, '3'),
    '{"now":1795000000000}',
    stay(1, '5'),
    stay(1, '5'),
    stay(1, '4'),
  ];
  expect(found(1, ...messages)).toEqual([5, undefined, undefined, 5, 5, 4]);
});

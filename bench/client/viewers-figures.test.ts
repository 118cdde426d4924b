import { expect, it } from 'vitest';
import { freeUnitsOf } from './viewers-figures.ts';

const stay = (id: number, free: string) =>
  `<hx-partial hx-target="#stay-${id}"><span id="stay-${id}"><span class="stay-words" id="stay-${id}-words">` +
  `<span class="key key-sold">7 sold</span><span class="key key-free">${free} free</span></span></span></hx-partial>`;

function found(packageId: number, ...messages: string[]): (number | undefined)[] {
  const freeUnits = freeUnitsOf(packageId);
  return messages.map((message) => {
    // Not at the start of what was read.
    const bytes = Buffer.from(`..${message}..`);
    return freeUnits(bytes, 2, 2 + Buffer.byteLength(message));
  });
}

it('finds the units of its package alone', () => {
  expect(found(1, stay(1, '5'), stay(1, '99,995'), stay(12, '3') + stay(1, '0'))).toEqual([5, 99_995, 0]);
});

it('finds nothing in a message about others, or about the time, and what it found before is not in the way', () => {
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

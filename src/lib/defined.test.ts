import { expect, it } from 'vitest';
import { defined } from './defined.ts';

interface Trip {
  readonly id: number;
  readonly price?: number;
  readonly note?: string;
}

it('leaves out undefined members, and keeps null, 0, false and the empty string', () => {
  const price: number | undefined = undefined as number | undefined;
  const trip: Trip = defined({ id: 1, price, note: '' });
  expect(trip).toStrictEqual({ id: 1, note: '' });
  expect(defined({ a: null, b: 0, c: false, d: undefined })).toStrictEqual({ a: null, b: 0, c: false });
});

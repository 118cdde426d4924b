import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { orderIdBytes, orderIdFrom, parseOrderId } from './order.ts';

const anyBytes = fc.uint8Array({ minLength: orderIdBytes, maxLength: orderIdBytes });
const zeros = new Uint8Array(orderIdBytes);
const ones = new Uint8Array(orderIdBytes).fill(255);

const tickMs = 100;
/** The time in an id begins again after this. */
const roundMs = 65_536 * tickMs;
const roundStart = Math.ceil(Date.UTC(2030, 0, 1) / roundMs) * roundMs;

describe('an order id', () => {
  it('has one form, at any time and with any random bytes', () => {
    expect(orderIdFrom(roundStart, zeros)).toBe('0000-0000-0000-0000');
    expect(orderIdFrom(roundStart - 1, ones)).toBe('ZZZZ-ZZZZ-ZZZZ-ZZZZ');
    fc.assert(
      fc.property(fc.integer(), anyBytes, (at, random) => {
        const id = orderIdFrom(at, random);
        expect(id).toMatch(/^[0-9A-HJKMNP-TV-Z]{4}(-[0-9A-HJKMNP-TV-Z]{4}){3}$/);
        expect(parseOrderId(id)).toBe(id);
      }),
    );
  });

  it('Q10: has 64 random bits', () => {
    expect(orderIdBytes).toBe(8);
    fc.assert(
      fc.property(anyBytes, fc.nat(63), (random, bit) => {
        const other = random.with(bit >> 3, random[bit >> 3]! ^ (1 << (bit & 7)));
        expect(orderIdFrom(roundStart, other)).not.toBe(orderIdFrom(roundStart, random));
      }),
    );
    for (const count of [0, 7, 9, 10]) {
      expect(() => orderIdFrom(roundStart, new Uint8Array(count))).toThrow(RangeError);
    }
  });

  it('sorts after the ids of every earlier tick of the same round', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 65_535 }), (tick) => {
        const at = roundStart + tick * tickMs;
        expect(orderIdFrom(at - 1, ones) < orderIdFrom(at, zeros)).toBe(true);
        expect(orderIdFrom(at + tickMs - 1, zeros)).toBe(orderIdFrom(at, zeros));
      }),
    );
    expect(orderIdFrom(roundStart + roundMs, zeros)).toBe(orderIdFrom(roundStart, zeros));
  });

  it('is read as people type it, also one of an older release', () => {
    for (const text of ['7q4m9xkd2vbnh5tr', ' #7Q4M 9XKD–2VBN H5TR. ', '7Q4M-9XKD-2VBN-H5TR']) {
      expect(parseOrderId(text)).toBe('7Q4M-9XKD-2VBN-H5TR');
    }
    expect(parseOrderId('oil0-0000-0000-0000')).toBe('0110-0000-0000-0000');
    for (const text of ['', '7Q4M', '7Q4M-9XKD-2VBN-H5T', '7Q4M-9XKD-2VBN-H5TRR', 'UUUU-UUUU-UUUU-UUUU']) {
      expect(parseOrderId(text)).toBeUndefined();
    }
  });
});

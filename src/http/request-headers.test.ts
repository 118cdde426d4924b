import { describe, expect, it } from 'vitest';
import { parsePrefer, waitMs } from './request.ts';

describe('parsePrefer', () => {
  it.each([
    [undefined, {}],
    ['', {}],
    ['respond-async', { respondAsync: true }],
    ['Respond-Async', { respondAsync: true }],
    ['respond-async; foo=bar', { respondAsync: true }],
    ['respond-async=yes', {}],
    ['wait=5', { waitS: 5 }],
    ['WAIT = 5', { waitS: 5 }],
    ['wait="5"', { waitS: 5 }],
    ['wait=5, wait=7', { waitS: 5 }],
    ['wait=5;x="a,b", respond-async', { waitS: 5, respondAsync: true }],
    ['foo="a, wait=9", respond-async', { respondAsync: true }],
    ['foo="a\\", wait=9", wait=2', { waitS: 2 }],
    ['foo; wait=5', {}],
    ['wait=-1', {}],
    ['wait=1.5', {}],
    ['wait=', {}],
    [',,; ,=5, wait=3 , "', { waitS: 3 }],
    ['return=minimal, respond-async, wait=0', { respondAsync: true, waitS: 0 }],
    ['nowait=5', {}],
    ['wait 5', {}],
  ])('parses %j', (header, expected) => {
    expect(parsePrefer(header)).toEqual({ respondAsync: false, ...expected });
  });

  it('parses malformed input in linear time', () => {
    for (const junk of ['"', '\\', ' ', 'a=', '"\\', 'a;']) {
      expect(parsePrefer(junk.repeat(16_000))).toEqual({ respondAsync: false });
    }
  });
});

it('waits ten seconds by default, and less on request', () => {
  expect(waitMs({ respondAsync: false })).toBe(10_000);
  expect(waitMs({ respondAsync: true })).toBe(0);
  expect(waitMs({ respondAsync: true, waitS: 4 })).toBe(4000);
  expect(waitMs({ respondAsync: false, waitS: 999 })).toBe(10_000);
});

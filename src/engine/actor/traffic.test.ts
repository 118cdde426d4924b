import { beforeEach, expect, test } from 'vitest';
import { ManualClock } from '../../../test/support/manual-clock.ts';
import { Traffic } from './traffic.ts';

const actor = 1;
let clock: ManualClock;
let traffic: Traffic;

beforeEach(() => {
  clock = new ManualClock();
  traffic = new Traffic(clock);
});

/** A window in which each instance gets so many purchases. */
async function window(purchases: Readonly<Record<string, number>>, ms = 2_000): Promise<void> {
  for (const [instance, count] of Object.entries(purchases)) {
    for (let each = 0; each < count; each++) traffic.note(actor, instance);
  }
  await clock.advance(ms);
  traffic.endWindows();
}

test('traffic chooses the instance that gets nearly all purchases in two windows in a row', async () => {
  await window({ a: 8, b: 32 });
  expect(traffic.chosen(actor)).toBeUndefined();
  await window({ a: 1, b: 32 });
  expect(traffic.chosen(actor)).toBe('b');
  expect(traffic.chosen(2)).toBeUndefined();
});

test('traffic that is spread, or that changes its instance, chooses none', async () => {
  for (let each = 0; each < 5; each++) await window({ a: 20, b: 20, c: 20 });
  await window({ b: 60 });
  await window({ a: 60 });
  await window({ b: 60 });
  await window({ a: 15, b: 45 });
  await window({ b: 60 });
  expect(traffic.chosen(actor)).toBeUndefined();
});

test('the chosen instance stays until it gets less than 40 % of the purchases', async () => {
  await window({ b: 60 });
  await window({ b: 60 });
  await window({ a: 30, b: 30 });
  expect(traffic.chosen(actor)).toBe('b');
  await window({ a: 37, b: 23 });
  expect(traffic.chosen(actor)).toBeUndefined();
});

test('traffic that goes on to another instance chooses that one', async () => {
  await window({ b: 60 });
  await window({ b: 60 });
  await window({ c: 60 });
  await window({ c: 60 });
  expect(traffic.chosen(actor)).toBe('c');
});

test('a window lasts until it has enough purchases, and is forgotten without them', async () => {
  await window({ b: 29 });
  await window({ b: 1 });
  expect(traffic.chosen(actor)).toBeUndefined();
  await window({ b: 30 }, 1_999);
  expect(traffic.chosen(actor)).toBeUndefined();
  await window({}, 1);
  expect(traffic.chosen(actor)).toBe('b');
  await window({ b: 29 }, 9_999);
  expect(traffic.chosen(actor)).toBe('b');
  await window({}, 1);
  expect(traffic.chosen(actor)).toBeUndefined();
});

test('an instance can be chosen in advance: it stays for 30 s, and then a window decides', async () => {
  traffic.choose(actor, 'b');
  for (let each = 0; each < 14; each++) await window({ a: 40 });
  await window({}, 1_999);
  expect(traffic.chosen(actor)).toBe('b');
  await window({ a: 40 });
  expect(traffic.chosen(actor)).toBe('a');
  traffic.choose(actor, 'b');
  await window({}, 29_999);
  expect(traffic.chosen(actor)).toBe('b');
  await window({}, 10_000);
  expect(traffic.chosen(actor)).toBeUndefined();
  traffic.choose(actor, 'b');
  await clock.advance(30_000);
  await window({ b: 30 });
  expect(traffic.chosen(actor)).toBe('b');
});

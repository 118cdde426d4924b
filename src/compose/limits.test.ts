import { expect, it } from 'vitest';
import { connectionsAllowed } from './limits.ts';

it.each([
  [undefined, 40_000],
  [1_048_576, 40_000],
  [20_000, 19_000],
  [1_024, 768],
  [256, 192],
])('with %s open files there may be %i connections: some files are for the store', (files, connections) => {
  expect(connectionsAllowed(files)).toBe(connections);
});

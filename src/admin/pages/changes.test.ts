import { expect, test } from 'vitest';
import { fakeOperator } from '../../../test/support/fake-admin.ts';
import type { OperatorEvent } from '../../storage/operator-log.ts';
import { changesOf, packageIdOf } from './changes.ts';

const event = (overrides: Partial<OperatorEvent>): OperatorEvent => ({
  ...{ id: 'one', at: 0, by: fakeOperator, instance: 'instance-1' },
  ...{ action: 'package.amend', target: { packageId: 1 }, outcome: 'done' },
  ...overrides,
});

test('a change lists only the fields that differ, without the version', () => {
  const before = { quota: 50, price: 100, version: 1, closesAt: 7 };
  const after = { quota: 60, price: 100, version: 2 };
  expect(changesOf(event({ before, after }))).toEqual([
    { name: 'quota', before: 50, after: 60 },
    { name: 'closesAt', before: 7 },
  ]);
});

test('a flag that a package does not have counts as its default value', () => {
  const pausing = { before: { quota: 5, version: 1 }, after: { quota: 5, paused: true, version: 2 } };
  expect(changesOf(event(pausing))).toEqual([{ name: 'paused', before: false, after: true }]);
  const resuming = { before: pausing.after, after: pausing.before, wish: { paused: false } };
  expect(changesOf(event(resuming))).toEqual([{ name: 'paused', before: true, after: false }]);
  const hiding = { before: { quota: 5 }, after: { quota: 5, listed: false, archived: true } };
  expect(changesOf(event(hiding))).toEqual([
    { name: 'listed', before: true, after: false },
    { name: 'archived', before: false, after: true },
  ]);
  expect(changesOf(event({ ...resuming, outcome: 'refused' }))).toEqual([
    { name: 'paused', before: true, after: false },
  ]);
});

test('the creation of a package lists all fields', () => {
  expect(changesOf(event({ wish: { quota: 5 }, after: { id: 3, quota: 5, flight: 'F' } }))).toEqual([
    { name: 'quota', after: 5 },
    { name: 'flight', after: 'F' },
  ]);
});

test('a deletion lists all fields of the package, and the id of a created package is found', () => {
  const deletion = event({ action: 'package.delete', before: { id: 3, flight: 'F', version: 2 } });
  expect(changesOf(deletion)).toEqual([{ name: 'flight', before: 'F' }]);
  expect(changesOf({ ...deletion, outcome: 'refused', code: 'package_not_empty' })).toEqual([]);
  const creation = event({ action: 'package.create', target: {}, after: { id: 3, flight: 'F' } });
  expect([packageIdOf(creation), packageIdOf(event({}))]).toEqual([3, 1]);
});

test('a refused or open change shows the requested values beside the stored values', () => {
  for (const outcome of ['refused', 'failed', 'open'] as const) {
    const found = changesOf(event({ outcome, before: { quota: 50, price: 1 }, wish: { quota: 20 } }));
    expect(found).toEqual([{ name: 'quota', before: 50, after: 20 }]);
  }
});

test('a nested field is named by its path, and a value that is no object is ignored', () => {
  const nested = { order: { status: 'queued' } };
  expect(changesOf(event({ before: nested, after: { order: { status: 'withdrawn' } } }))).toEqual([
    { name: 'order.status', before: 'queued', after: 'withdrawn' },
  ]);
  expect(changesOf(event({ before: 'was', after: [1, 2] }))).toEqual([]);
  expect(changesOf(event({}))).toEqual([]);
});

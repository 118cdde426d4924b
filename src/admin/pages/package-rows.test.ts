import { expect, test } from 'vitest';
import { fakeActivity, fakeStatus } from '../../../test/support/fake-admin.ts';
import { fakeNow } from '../../../test/support/fake-engine.ts';
import { PackageRows } from './package-rows.ts';

/** A clock that advances by 1 ms with each reading, and a counter of yields to the event loop. */
function stage() {
  let now = 0;
  let turns = 0;
  const yieldToEventLoop = async () => {
    turns++;
  };
  const rows = new PackageRows('USD', {
    sliceMsMin: 2,
    sliceMsMax: 2,
    yieldToEventLoop,
    monotonicNow: () => now++,
  });
  return { rows, turns: () => turns };
}

test('a row is rendered again only if it looks different', async () => {
  const { rows } = stage();
  const draw = async (status = fakeStatus()) => (await rows.draw([status], fakeNow))[0];
  const first = await draw();
  const measuredLater = fakeStatus({}, {}, { activity: { ...fakeActivity(), endedAt: fakeNow + 1000 } });
  expect(await draw(measuredLater)).toBe(first);
  const others = [
    fakeStatus({ price: 5 }),
    fakeStatus({}, { waiting: 1 }),
    fakeStatus({}, {}, { obstacle: 'queue_full' }),
    fakeStatus({}, {}, { owner: { instance: 'instance-2', epoch: 8, state: 'idle' } }),
    fakeStatus({}, {}, { activity: fakeActivity(13) }),
    fakeStatus({}, {}, { activity: { ...fakeActivity(), mailbox: 4 } }),
  ];
  for (const other of others) {
    await draw();
    expect(String(await draw(other))).not.toBe(String(first));
  }
});

test('rows come in the order of the packages, and rendering yields to the event loop', async () => {
  const { rows, turns } = stage();
  const many = Array.from({ length: 20 }, (_, index) => fakeStatus({ id: index + 1 }));
  const drawn = await rows.draw(many, fakeNow);
  expect(drawn.map((row) => /id="admin-package-(\d+)"/.exec(String(row))?.[1])).toEqual(
    many.map((each) => String(each.package.id)),
  );
  expect(turns()).toBeGreaterThan(3);
});

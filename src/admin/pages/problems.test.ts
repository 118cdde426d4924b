import { expect, test } from 'vitest';
import { fakeInstance, fakeLost, fakeStatus } from '../../../test/support/fake-admin.ts';
import { fakeNow, fakeOrder } from '../../../test/support/fake-engine.ts';
import { UnreadableError } from '../../storage/store.ts';
import type { Overview } from './overview.ts';
import { problemsOf } from './problems.ts';

const well: Overview = {
  now: fakeNow,
  packages: [fakeStatus()],
  packagesTotal: 1,
  summary: {
    totals: { quota: 50, remaining: 50, held: 0, confirmed: 0, cancelling: 0, waiting: 0 },
    archived: 0,
    busy: [],
  },
  instances: [fakeInstance('instance-1')],
  unreadable: [],
  stuckOrSlow: [],
  deadLetters: [],
  changes: [],
};

const deadLetter = {
  ...({ orderId: 'A', event: 'failed', channel: 'webhook', packageId: 1 } as const),
  ...{ at: fakeNow, attempts: 20, reason: 'HTTP 500' },
};

const found = (overview: Partial<Overview>) =>
  problemsOf({ ...well, ...overview }).map(({ level, headline, text }) => `${level}: ${headline}. ${text}`);

const ownedBy = (state: 'gone' | 'silent', id: number, waiting = 0) =>
  fakeStatus({ id }, { waiting }, { owner: { instance: 'instance-3', epoch: 2, state } });

const order = (health: 'stuck' | 'slow', forMs: number) => ({
  order: fakeOrder({ status: 'held' }),
  since: fakeNow - forMs,
  health,
});

const failingFor = (firstPackages: number[], forMs: number, packages = firstPackages.length) =>
  fakeInstance('instance-1', {
    failing: [{ supplier: 'flights', packages, firstPackages, since: fakeNow - forMs }],
  });

test('a problem with one waiting message is described in the singular', () => {
  const slow = (mailbox: number) => {
    const instance = fakeInstance('instance-1', {});
    const load = 'load' in instance ? { ...instance.load, eventLoopLagMs: 300, mailbox } : undefined;
    return found({ instances: [{ ...instance, load } as typeof instance] });
  };
  expect(slow(1)[0]).toMatch(/; 1 message waits\.$/);
  expect(slow(2)[0]).toMatch(/; 2 messages wait\.$/);
});

test('the page shows that all is well if there is no problem', () => {
  expect(found({})).toEqual([]);
  expect(found({ packages: [] })).toEqual([]);
});

test.each<[Partial<Overview>, string]>([
  [
    { deadLetters: [deadLetter] },
    'warn: 1 notice was given up. Mails or webhooks about orders could not be delivered, the last one with: HTTP 500.',
  ],
  [
    { deadLetters: Array(100).fill(deadLetter) },
    'warn: 100 notices or more were given up. Mails or webhooks about orders could not be delivered, the last one with: HTTP 500.',
  ],
  [
    { staleSince: fakeNow - 5_000 },
    'bad: The store does not answer. No order can be taken. Some figures are from 23:59:55 UTC.',
  ],
  [
    { staleSince: 0 },
    'bad: The store does not answer. No order can be taken. Figures appear as soon as it answers.',
  ],
  [
    {
      instances: [
        fakeInstance('instance-1'),
        fakeInstance('instance-2', { state: 'not_ready', missing: ['Redis does not answer', 'no store'] }),
      ],
    },
    'bad: instance-2 is not ready. Missing: Redis does not answer; no store.',
  ],
  [
    {
      instances: ['instance-1', 'instance-2'].map((id) =>
        fakeInstance(id, { state: 'not_ready', missing: ['no store'] }),
      ),
    },
    'bad: instance-1 and instance-2 are not ready. Missing: no store.',
  ],
  [
    {
      instances: [fakeInstance('instance-1', { suppliersAvailable: false })],
      summary: { ...well.summary, totals: { ...well.summary.totals, waiting: 5 } },
    },
    'bad: The suppliers do not answer. They are silent for most packages, and no place of these is claimed until they answer. 5 people are in the queue.',
  ],
  [
    { instances: [fakeInstance('instance-1'), fakeInstance('instance-2', { suppliersAvailable: false })] },
    'bad: The suppliers do not answer instance-2. They are silent for most packages there, and no place of these is claimed until they answer.',
  ],
  [
    { instances: [failingFor([3], 8_000), fakeInstance('instance-2')] },
    'bad: The flight supplier does not answer for package 3. It has given no answer for 8\u00a0s. No place of the package is claimed until it answers.',
  ],
  [
    { instances: [failingFor([3, 4], 8_000), failingFor([3, 5, 6, 7], 240_000)] },
    'bad: The flight supplier does not answer for 5 packages. Packages 3, 4, 5, 6 and 1 more, the first for 4\u00a0min. No place of these is claimed until it answers.',
  ],
  [
    { instances: [failingFor([3, 4], 8_000, 90)] },
    'bad: The flight supplier does not answer for more than 2 packages. Packages 3 and 4, the first for 8\u00a0s. No place of these is claimed until it answers.',
  ],
  [
    { unreadable: [new UnreadableError({ packageId: 3 }, 2)] },
    'bad: Package 3 cannot be read. A newer release wrote document version 2: run that release. This instance serves all others.',
  ],
  [
    { unreadable: [3, 4].map((packageId) => new UnreadableError({ packageId })) },
    'bad: 2 packages cannot be read. Packages 3 and 4. The stored document is damaged. This instance serves all others.',
  ],
  [
    { unreadable: [new UnreadableError({ packageId: 3, orderId: 'A' })] },
    'bad: Order A cannot be read. The stored document is damaged. A package with such an order that has not ended gets no owner here.',
  ],
  [
    { instances: [{ id: 'instance-2', isThis: false, state: 'silent' }] },
    'bad: instance-2 is silent. It does not answer. Within seconds it answers again, or counts as lost.',
  ],
  [
    { packages: [ownedBy('gone', 3, 1)] },
    'bad: Package 3 has no owner. instance-3 is gone. 1 order waits for the takeover.',
  ],
  [
    { packages: [ownedBy('silent', 3), ownedBy('gone', 4)] },
    'warn: 2 packages have no owner. instance-3 does not answer. The next purchase finds a new one.',
  ],
  [
    { stuckOrSlow: [order('stuck', 134_000), order('stuck', 40_000)] },
    'bad: 2 orders are stuck. The oldest has not moved for 2\u00a0min.',
  ],
  [{ stuckOrSlow: [order('slow', 9_000)] }, 'warn: 1 order is slow. The oldest has not moved for 9\u00a0s.'],
  [
    { packages: [fakeStatus({ id: 2, paused: true }, { waiting: 1 }, { obstacle: 'paused' })] },
    'warn: Package 2 is paused with people waiting. 1 person is in the queue and keeps the position.',
  ],
  [
    { packages: [fakeStatus({}, {}, { obstacle: 'queue_full' })] },
    'warn: The queue of package 1 is full. Customers are asked to try again later.',
  ],
  [
    { instances: [fakeInstance('instance-2', { state: 'draining' })] },
    'warn: instance-2 is draining. Packages and viewers move to the other instances.',
  ],
])('problem %# has its own message', (overview, said) => {
  expect(found(overview)).toEqual([said]);
});

test('a paused package without a queue, a sold-out package and an idle package are no problems', () => {
  const quiet = [
    fakeStatus({ paused: true }, {}, { obstacle: 'paused' }),
    fakeStatus({}, {}, { obstacle: 'sold_out' }),
    fakeStatus({}, {}, { owner: { instance: 'instance-1', epoch: 1, state: 'idle' } }),
  ];
  expect(found({ packages: quiet })).toEqual([]);
});

test('problems that affect customers come first', () => {
  const overview = {
    packages: [fakeStatus({ paused: true }, { waiting: 3 }, { obstacle: 'paused' })],
    stuckOrSlow: [order('slow', 9_000), order('stuck', 31_000)],
  };
  expect(problemsOf({ ...well, ...overview }).map(({ id }) => id)).toEqual(['stuck', 'paused', 'slow']);
});

test('a problem of one package links to that package, and a problem of several packages links to the table', () => {
  const link = (packages: Overview['packages']) => problemsOf({ ...well, packages })[0]?.link;
  expect(link([ownedBy('gone', 3)])).toEqual({ href: '/admin/packages/3', what: 'package 3' });
  expect(link([ownedBy('gone', 3), ownedBy('gone', 4)])).toEqual({
    href: '#packages',
    what: 'packages 3 and 4',
  });
});

test('a lost instance is shown with its packages and their new owners', () => {
  const lost = (overrides = {}) =>
    found({ instances: [fakeInstance('instance-1'), fakeLost('instance-2', overrides)] });
  expect(lost()).toEqual([
    'warn: instance-2 is lost. It stopped without leaving in order, 60\u00a0min ago. It owned 5 packages: 1, 2, 5, 8 and 9. ' +
      'instance-1 took over 4; 1 will find an owner with the next purchase.',
  ]);
  expect(lost({ packages: 1_234, unowned: 0 })).toEqual([
    'warn: instance-2 is lost. It stopped without leaving in order, 60\u00a0min ago. ' +
      'It owned 1,234 packages: 1, 2, 5, 8, 9 and 1,229 more. instance-1 took over 4.',
  ]);
  expect(lost({ packages: 0, firstPackages: [], takenOver: [], unowned: 0 })).toEqual([
    'warn: instance-2 is lost. It stopped without leaving in order, 60\u00a0min ago. It owned no package.',
  ]);
});

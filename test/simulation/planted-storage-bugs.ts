import type { PlantedBug } from './planted-bug.ts';

/** Bugs about takeovers, long queues and documents that cannot be read. */
export const plantedStorageBugs: readonly PlantedBug[] = [
  {
    name: 'the queue is bounded by the quota alone',
    edits: [
      {
        file: 'src/domain/travel-package.ts',
        find: 'return Math.min(waitersPerUnit * quota, waitersMax);',
        replace: 'return waitersPerUnit * quota;',
      },
    ],
  },
  {
    name: 'a takeover reads only the first page of the queue',
    edits: [
      {
        file: 'src/storage/store-helpers.ts',
        find: 'if (page.length < limit) return orders;',
        replace: 'return orders;',
      },
    ],
  },
  {
    name: 'a takeover reads the queue before it raises the epoch',
    edits: [
      {
        file: 'test/simulation/sim-store.ts',
        find: '    async takeOwnership(id, instance) {\n',
        replace: `    async takeOwnership(id, instance) {
      const early = await read('queue', () => core.ordersOf(id).filter(isUnfinished));
`,
      },
      {
        file: 'test/simulation/sim-store.ts',
        find: 'return { ...raised, unfinished };',
        replace: 'return { ...raised, unfinished: unfinished && early };',
      },
    ],
  },
  {
    name: 'a takeover leaves out an order that cannot be read',
    edits: [
      {
        file: 'test/simulation/sim-store.ts',
        find: ').map((order) => readable(orderOf(order))),\n',
        replace: ').filter((order) => !(orderOf(order) instanceof Error)),\n',
      },
    ],
  },
  {
    name: 'one unreadable package fails the list of all packages',
    edits: [
      {
        file: 'test/simulation/sim-store.ts',
        find: 'return { items: sift(rows.map(packageOf)).items, ...next };',
        replace: 'return { items: rows.map(packageOf).map(readable), ...next };',
      },
    ],
  },
  {
    name: 'the key of an unreadable order counts as new',
    edits: [
      {
        file: 'test/simulation/sim-store.ts',
        find: "return [...new Set(keys)].flatMap((key) => single(core.orders.get(byKey?.get(key) ?? '')) ?? []);",
        replace:
          "return listed([...new Set(keys)].flatMap((key) => core.orders.get(byKey?.get(key) ?? '') ?? []));",
      },
    ],
  },
];

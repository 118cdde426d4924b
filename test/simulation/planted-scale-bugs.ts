import type { PlantedBug } from './planted-bug.ts';

/** Bugs that need many packages or a long queue. */
export const plantedScaleBugs: readonly PlantedBug[] = [
  {
    name: 'adoption tries the same first packages in every scan',
    edits: [
      {
        file: 'src/engine/actor/takeovers.ts',
        find: 'const due = ids.filter((id) => !this.#leased.has(id) && (waiting.has(id) || isMine(id)));',
        replace: 'const due = ids.filter((id) => waiting.has(id) || isMine(id)).slice(0, 50);',
      },
      {
        file: 'src/engine/actor/takeovers.ts',
        find: 'this.#orphans = [...due.filter(isLater), ...due.filter((id) => !isLater(id))].reverse();',
        replace:
          'this.#orphans = [...due.filter(isLater), ...due.filter((id) => !isLater(id))].sort((a, b) => b - a);',
      },
    ],
  },
  {
    name: 'a takeover that meets a lease keeps its place',
    edits: [
      {
        file: 'src/engine/actor/takeovers.ts',
        find: '    this.#underWay--;\n',
        replace: "    if (attempt !== 'notOwner') this.#underWay--;\n",
      },
    ],
  },
  {
    name: 'an activation that meets a lease keeps its slot',
    edits: [
      {
        file: 'src/engine/actor/runtime.ts',
        find: 'const owned = await this.#limitActivating(() => this.#own(id, leaving));',
        replace: `const owned = await new Promise<Owned<Active> | Attempt>((resolve) => {
      void this.#limitActivating(async () => {
        const result = await this.#own(id, leaving);
        resolve(result);
        if (result === 'notOwner') await new Promise(() => {});
      });
    });`,
      },
    ],
  },
  {
    name: 'a hand-over names more packages than its receiver reads',
    edits: [
      {
        file: 'src/engine/actor/routing/protocol.ts',
        find: 'export const packageIdsMax = 10_000;',
        replace: 'export const packageIdsMax = 20;',
      },
      {
        file: 'src/engine/actor/routing/router.ts',
        find: 'const some = packageIds.slice(from, from + packageIdsMax);',
        replace: 'const some = packageIds.slice(from);',
      },
    ],
  },
  {
    name: 'a takeover reads the whole queue at once',
    edits: [
      {
        file: 'src/storage/store-helpers.ts',
        find: 'const page = await readPage(orders.at(-1)?.number, limit);',
        replace: 'const page = await readPage(orders.at(-1)?.number, limit * Number.POSITIVE_INFINITY);',
      },
    ],
  },
  {
    name: 'a takeover loses an order between two pages',
    edits: [
      {
        file: 'src/storage/store-helpers.ts',
        find: 'const page = await readPage(orders.at(-1)?.number, limit);',
        replace:
          'const page = await readPage(orders.length === 0 ? 0 : (orders.at(-1)?.number ?? 0) + 1, limit);',
      },
    ],
  },
];

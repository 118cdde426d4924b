import type { PlantedBug } from './planted-bug.ts';

/** Bugs of the outbox and of the delivery of notices. */
export const plantedNoticeBugs: readonly PlantedBug[] = [
  {
    name: 'a rejected order owes no notice',
    ofNotices: true,
    edits: [
      {
        file: 'src/domain/decide.ts',
        find: '      this.#updateAndTell(to.reject(next, this.#now));\n',
        replace: '      draft.update(to.reject(next, this.#now));\n',
      },
    ],
  },
  {
    name: 'notices are settled before they are delivered',
    ofNotices: true,
    edits: [
      {
        file: 'src/notifications/lane.ts',
        find: '    const limit = pLimit(atOnceMax);\n',
        replace: `    await this.#settle(due.flatMap(({ notices }) => notices), []);
    const limit = pLimit(atOnceMax);
`,
      },
    ],
  },
  {
    name: 'a notice that fails does not hold back the later ones of its order',
    ofNotices: true,
    edits: [
      {
        file: 'src/notifications/lane.ts',
        find: `          this.#failing.set(order.id, { attempts, since, nextAt: failedAt + pauseMs, isOfRecipient });
          return;
`,
        replace: `          this.#failing.set(order.id, { attempts, since, nextAt: failedAt + pauseMs, isOfRecipient });
          continue;
`,
      },
    ],
  },
  {
    name: 'a notice is given up after three attempts',
    ofNotices: true,
    edits: [
      {
        file: 'src/notifications/lane.ts',
        find: 'if (!isFinal && attempts < attemptsMax) {',
        replace: 'if (!isFinal && attempts < 3) {',
      },
    ],
  },
  {
    name: 'a package that only owes notices gets no owner',
    ofNotices: true,
    edits: [
      {
        file: 'src/engine/actor/actor-engine.ts',
        find: '      return [...new Set([...unfinished, ...notifications.packagesOwing()])].sort(\n',
        replace: '      return unfinished.sort(\n',
      },
    ],
  },
  {
    name: 'a new owner does not look for what the former one left',
    ofNotices: true,
    edits: [
      {
        file: 'src/notifications/dispatcher.ts',
        find: 'for (const [channel, ids] of this.#owing) if (ids.has(packageId)) this.#wake(packageId, channel);',
        replace: '',
      },
      {
        file: 'src/notifications/dispatcher.ts',
        find: 'if (this.#owned.get(id)?.lanes.has(channel) === false) this.#wake(id, channel);',
        replace: '{}',
      },
    ],
  },
  {
    name: 'a delivery settles the other notices of its order too',
    ofNotices: true,
    edits: [
      {
        file: 'test/simulation/outbox-core.ts',
        find: '    for (const notice of [...delivered, ...givenUp]) this.owed.delete(noticeId(notice));\n',
        replace: `    for (const { orderId } of [...delivered, ...givenUp]) {
      for (const id of this.owed.keys()) if (id.startsWith(orderId)) this.owed.delete(id);
    }
`,
      },
    ],
  },
];

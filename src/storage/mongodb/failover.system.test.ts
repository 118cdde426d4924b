import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { sampleInventory, sampleOrder, samplePackage } from '../../../test/contract/samples.ts';
import { type Mongod, startMongod } from '../../../test/support/servers/mongod.ts';
import type { Fence, Ownership } from '../../domain/messages.ts';
import { CommitUnknownError, FencedError, StoreUnavailableError } from '../store.ts';
import { type MongoStore, openMongoStore } from './mongo-store.ts';

let mongod: Mongod;
let store: MongoStore;

beforeAll(async () => {
  mongod = await startMongod({ members: 3 });
});
afterAll(() => mongod.stop());
beforeEach(async () => {
  // A set that has just been elected or was restarted may be slow.
  store = await untilAvailable(() => openMongoStore({ url: mongod.url, timeoutMs: 2_000 }));
  await untilAvailable(() => store.clear());
});
afterEach(() => store.close());

/** The outcome that an owner got for each of its orders. */
interface Told {
  readonly applied: number[];
  readonly notApplied: number[];
  /** Orders with an unknown outcome, by what the next takeover showed. */
  readonly unknown: { readonly applied: number[]; readonly notApplied: number[] };
}

/**
 * An owner that commits one new order after the other, like the actor. After an unknown outcome the owner takes
 * ownership again and continues from the stored state.
 */
class Owner {
  readonly told: Told = { applied: [], notApplied: [], unknown: { applied: [], notApplied: [] } };
  /** The package's first seq, which is random. */
  seqAtStart = 0;
  readonly #packageId: number;
  #fence: Fence = { epoch: 0, seq: 0 };
  #sent = 0;
  /** Takeovers that were given up. The server may still perform each of them later, for example after a freeze. */
  #doubtfulTakeovers = 0;

  constructor(packageId: number) {
    this.#packageId = packageId;
  }

  async takeOver(): Promise<Ownership> {
    const ownership = await untilAvailable(
      () => store.takeOwnership(this.#packageId, 'owner'),
      () => this.#doubtfulTakeovers++,
    );
    if (!ownership) throw new Error(`package ${this.#packageId} is not there`);
    this.#fence = ownership.fence;
    return ownership;
  }

  async run(isOver: () => boolean): Promise<void> {
    this.seqAtStart = (await this.takeOver()).fence.seq;
    while (!isOver()) await this.#commitNext();
  }

  async #commitNext(): Promise<void> {
    const packageId = this.#packageId;
    const number = ++this.#sent;
    const { applied, notApplied, unknown } = this.told;
    try {
      await store.commit(packageId, this.#fence, {
        // The inventory differs in every commit.
        inventory: sampleInventory({
          waiting: this.#fence.seq - this.seqAtStart + 1,
          nextNumber: number + 1,
        }),
        inserted: [sampleOrder(number, { packageId })],
        updated: [],
      });
      applied.push(number);
      this.#fence = { ...this.#fence, seq: this.#fence.seq + 1 };
    } catch (error) {
      if (error instanceof CommitUnknownError) {
        const before = this.#fence.seq;
        const { fence } = await this.takeOver();
        expect([0, 1], 'one commit raises seq by one').toContain(fence.seq - before);
        (fence.seq > before ? unknown.applied : unknown.notApplied).push(number);
      } else if (error instanceof StoreUnavailableError) {
        notApplied.push(number);
        await sleep(20);
      } else if (error instanceof FencedError && this.#doubtfulTakeovers > 0) {
        this.#doubtfulTakeovers--;
        notApplied.push(number);
        await this.takeOver();
      } else {
        // Nobody else takes the package over, so every other FencedError fails the test, too.
        throw error;
      }
    }
  }
}

async function untilAvailable<T>(call: () => Promise<T>, onUnavailable = () => {}): Promise<T> {
  for (;;) {
    try {
      return await call();
    } catch (error) {
      if (!(error instanceof StoreUnavailableError)) throw error;
      onUnavailable();
      await sleep(20);
    }
  }
}

/** Lets owners commit during a fault, and compares the outcomes that they got with the stored orders. */
async function whileCommitting(faults: (progress: (commits: number) => Promise<void>) => Promise<void>) {
  const ids = [1, 2, 3];
  await untilAvailable(() => store.addPackages(ids.map((id) => samplePackage({ id }))));
  const owners = ids.map((id) => new Owner(id));
  let isOver = false;
  const running = Promise.all(owners.map((owner) => owner.run(() => isOver)));
  const progress = async (commits: number) => {
    const goals = owners.map(({ told }) => told.applied.length + commits);
    while (owners.some(({ told }, index) => told.applied.length < goals[index]!)) {
      await Promise.race([sleep(10), running]);
    }
  };
  await progress(20);
  await Promise.race([faults(progress), running]);
  isOver = true;
  await running;

  for (const [index, owner] of owners.entries()) {
    const { applied, unknown } = owner.told;
    const { fence, inventory, unfinished } = await owner.takeOver();
    const expected = [...applied, ...unknown.applied].sort((one, other) => one - other);
    expect(
      unfinished.map(({ number }) => number),
      `package ${ids[index]}`,
    ).toEqual(expected);
    expect(fence.seq - owner.seqAtStart).toBe(expected.length);
    expect(inventory).toEqual(
      sampleInventory({ waiting: expected.length, nextNumber: expected.at(-1)! + 1 }),
    );
  }
  return owners.map(({ told }) => told);
}

test('the outcome of each commit is right when the primary steps down', async () => {
  await whileCommitting(async (progress) => {
    for (let time = 0; time < 2; time++) {
      await mongod.stepDown();
      await progress(20);
    }
  });
});

test('the outcome of each commit is right when the primary is killed', async () => {
  await whileCommitting(async (progress) => {
    const primary = await mongod.primary();
    await mongod.kill(primary);
    await progress(20);
    // The later commits went to another primary. Whether a commit was in flight at the kill is random.
    expect(await mongod.primary()).not.toEqual(primary);
    await mongod.restart(primary);
    await progress(20);
  });
});

test('the outcome of each commit is right when the primary freezes and is replaced', async () => {
  await whileCommitting(async (progress) => {
    const primary = await mongod.primary();
    mongod.freeze(primary);
    try {
      await progress(20);
    } finally {
      mongod.thaw(primary);
    }
    await progress(20);
  });
});

test('reads work after an election, and see all acknowledged writes', async () => {
  await untilAvailable(() => store.addPackages([samplePackage()]));
  let { fence } = (await untilAvailable(() => store.takeOwnership(1, 'one')))!;
  for (let number = 1; number <= 10; number++) {
    if (number % 5 === 0) await mongod.stepDown();
    fence = await surely(fence, number);
    expect(await untilAvailable(() => store.ordersByKey(1, [`key-${number}`]))).toHaveLength(1);
    expect((await untilAvailable(() => store.package(1)))?.inventory.nextNumber).toBe(number + 1);
  }
});

/** Commits one order, repeatedly if necessary. Returns the fence after the commit. */
async function surely(fence: Fence, number: number): Promise<Fence> {
  const inventory = sampleInventory({ nextNumber: number + 1 });
  const change = { inventory, inserted: [sampleOrder(number)], updated: [] };
  try {
    await untilAvailable(() => store.commit(1, fence, change));
    return { ...fence, seq: fence.seq + 1 };
  } catch (error) {
    if (!(error instanceof CommitUnknownError)) throw error;
    const taken = (await untilAvailable(() => store.takeOwnership(1, 'one')))!;
    return taken.fence.seq > fence.seq ? taken.fence : surely(taken.fence, number);
  }
}

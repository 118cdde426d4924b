import { afterEach, expect, it } from 'vitest';
import { ManualClock } from '../../test/support/manual-clock.ts';
import { onSale } from '../../test/support/server.ts';
import { silentLog } from '../observability/log.ts';
import { openSqliteStore, type SqliteStore } from '../storage/sqlite/sqlite-store.ts';
import { StoreUnavailableError } from '../storage/store.ts';
import { InstanceRegister } from './instance-register.ts';

const keptMs = 60_000;

/** Instances that see each other, over one store. */
class Stage {
  readonly clock = new ManualClock();
  readonly store: SqliteStore = openSqliteStore({ file: ':memory:' });
  readonly #running = new Map<string, { register: InstanceRegister; kill: () => void }>();
  readonly #draining = new Set<string>();
  members: readonly string[] = [];
  available = true;
  isStoreAway = false;

  start(instance: string): InstanceRegister {
    const { clock, store } = this;
    const stage = this;
    let isDead = false;
    const alive = async <T>(work: () => Promise<T>): Promise<T> => {
      if (isDead || stage.isStoreAway) throw new StoreUnavailableError('away');
      return work();
    };
    const register = new InstanceRegister({
      ...{ clock, instance, log: silentLog, shownMs: keptMs },
      peers: {
        members: () => stage.members,
        get available() {
          return stage.available;
        },
      },
      store: {
        settingsNamed: (prefix) => alive(() => store.settingsNamed(prefix)),
        swapSetting: (...all) => alive(() => store.swapSetting(...all)),
        ownersOf: (ids) => alive(() => store.ownersOf(ids)),
        ownersPage: (cursor, limit) => alive(() => store.ownersPage(cursor, limit)),
        package: (id) => alive(() => store.package(id)),
      },
    });
    const kill = () => {
      isDead = true;
    };
    this.#running.set(instance, { register, kill });
    this.#announce();
    register.start();
    return register;
  }

  /** Ends an instance that neither drains nor signs out. */
  kill(instance: string): void {
    this.#running.get(instance)?.kill();
    this.#running.delete(instance);
    this.#announce();
  }

  async leave(instance: string): Promise<void> {
    const register = await this.beginDrain(instance);
    await register.leave();
    this.#running.delete(instance);
  }

  /** The instance notes that it leaves, and no longer announces itself. */
  async beginDrain(instance: string): Promise<InstanceRegister> {
    const { register } = this.#running.get(instance)!;
    await register.leaving();
    this.#draining.add(instance);
    this.#announce();
    return register;
  }

  async end(): Promise<void> {
    this.isStoreAway = true;
    for (const { register } of this.#running.values()) await register.leave();
    await this.store.close();
  }

  #announce(): void {
    this.members = [...this.#running.keys()].filter((id) => !this.#draining.has(id)).sort();
  }
}

let stage: Stage;
afterEach(() => stage.end());

const names = (register: InstanceRegister) => register.lost.map(({ id }) => id);

it('the register lists lost instances with their packages and the new owners, also for an instance that starts later', async () => {
  stage = new Stage();
  const { store, clock } = stage;
  await store.addPackages([1, 2, 3, 4].map((id) => onSale({ id })));
  for (const id of [1, 2, 3]) await store.takeOwnership(id, 'two');
  const one = stage.start('one');
  stage.start('two');
  await clock.advance(6_000);
  expect(names(one)).toEqual([]);
  stage.kill('two');
  const at = clock.now();
  // Package 2 gets a new owner before `two` counts as lost.
  await store.takeOwnership(2, 'one');
  await clock.advance(6_000);
  const two = {
    ...{ id: 'two', noticedBy: 'one', packages: 3, firstPackages: [1, 2, 3], unowned: 2 },
    takenOver: [{ instance: 'one', packages: 1 }],
  };
  expect(one.lost).toMatchObject([two]);
  expect(one.lost[0]!.at - at).toBeLessThanOrEqual(1_000);
  // The instance that noticed the loss dies too.
  stage.kill('one');
  const three = stage.start('three');
  await clock.advance(6_000);
  expect(three.lost).toMatchObject([{ id: 'one', packages: 1, noticedBy: 'three' }, two]);
});

it('the register lists no instance as lost that has drained or come back', async () => {
  stage = new Stage();
  const { clock } = stage;
  const one = stage.start('one');
  stage.start('two');
  stage.start('three');
  await clock.advance(2_000);
  await stage.leave('two');
  stage.kill('three');
  await clock.advance(6_000);
  expect(names(one)).toEqual(['three']);
  stage.start('three');
  await clock.advance(2_000);
  expect(names(one)).toEqual([]);
});

it('the register lists an absent instance as silent and then as lost, but never a drained instance', async () => {
  stage = new Stage();
  const { clock } = stage;
  const one = stage.start('one');
  stage.start('two');
  stage.start('three');
  await clock.advance(2_000);
  await stage.leave('two');
  stage.kill('three');
  const seen: string[] = [];
  for (let second = 0; second < 6; second++) {
    await clock.advance(1_000);
    seen.push(
      [
        ...one.absent.map(({ id, state }) => `${id} ${state}`),
        ...names(one).map((id) => `${id} lost`),
      ].join(),
    );
  }
  expect([...new Set(seen)]).toEqual(['three silent', 'three lost']);
});

it('the register shows an instance with a long drain as draining, and as lost only after 30 s', async () => {
  stage = new Stage();
  const { clock } = stage;
  const one = stage.start('one');
  stage.start('two');
  stage.start('three');
  await clock.advance(2_000);
  await stage.beginDrain('two');
  await stage.beginDrain('three');
  await clock.advance(20_000);
  expect([one.absent, names(one)]).toEqual([
    [
      { id: 'three', state: 'draining' },
      { id: 'two', state: 'draining' },
    ],
    [],
  ]);
  await stage.leave('two');
  stage.kill('three');
  await clock.advance(15_000);
  expect([one.absent, names(one)]).toEqual([[], ['three']]);
});

it('the register delays a drain by a second at most if the store is away', async () => {
  stage = new Stage();
  const { clock } = stage;
  const one = stage.start('one');
  await clock.advance(2_000);
  const hang = Promise.withResolvers<ReadonlyMap<string, string>>();
  stage.store.settingsNamed = () => hang.promise;
  let isNoted = false;
  void one.leaving().then(() => {
    isNoted = true;
  });
  await clock.advance(900);
  expect(isNoted).toBe(false);
  await clock.advance(200);
  expect(isNoted).toBe(true);
  hang.resolve(new Map());
});

it('the register does not count archived packages among the packages that will get a new owner', async () => {
  stage = new Stage();
  const { store, clock } = stage;
  await store.addPackages([onSale({ id: 1 }), onSale({ id: 2, paused: true, archived: true })]);
  for (const id of [1, 2]) await store.takeOwnership(id, 'two');
  const one = stage.start('one');
  stage.start('two');
  await clock.advance(6_000);
  stage.kill('two');
  await clock.advance(6_000);
  expect(one.lost).toMatchObject([{ packages: 2, firstPackages: [1, 2], unowned: 1 }]);
});

it('an instance signs out although another instance marks its entry as lost at the same time', async () => {
  stage = new Stage();
  const { clock, store } = stage;
  const one = stage.start('one');
  stage.start('two');
  await clock.advance(2_000);
  const swap = store.swapSetting.bind(store);
  let outrun = 1;
  store.swapSetting = async (name, before, after) => {
    if (name === 'instance:two' && after === undefined && outrun-- > 0)
      await swap(
        name,
        before,
        JSON.stringify({ startedAt: 1, lost: { at: clock.now(), by: 'one', packages: 0, ids: [] } }),
      );
    return swap(name, before, after);
  };
  await stage.leave('two');
  await clock.advance(2_000);
  expect(names(one)).toEqual([]);
});

it('the register marks no instance as lost while Redis is away, or just after Redis lost its data', async () => {
  stage = new Stage();
  const { clock } = stage;
  const one = stage.start('one');
  stage.start('two');
  await clock.advance(2_000);
  stage.available = false;
  stage.members = [];
  await clock.advance(20_000);
  stage.available = true;
  await clock.advance(2_000);
  stage.members = ['one', 'two'];
  await clock.advance(6_000);
  expect(names(one)).toEqual([]);
});

it('an instance that was cut off and has lost its entry registers again', async () => {
  stage = new Stage();
  const { clock } = stage;
  const one = stage.start('one');
  const two = stage.start('two');
  await clock.advance(2_000);
  await stage.store.swapSetting('instance:two', (await stage.store.settingIfAny('instance:two'))!, undefined);
  stage.members = ['one'];
  await clock.advance(2_000);
  expect(await stage.store.settingIfAny('instance:two')).toBeDefined();
  stage.members = ['one', 'two'];
  await clock.advance(2_000);
  expect([names(one), names(two)]).toEqual([[], []]);
});

it('the register lists a lost instance for a day, or until it is dismissed at any instance', async () => {
  stage = new Stage();
  const { clock } = stage;
  const one = stage.start('one');
  const two = stage.start('two');
  stage.start('three');
  stage.start('four');
  await clock.advance(2_000);
  stage.kill('three');
  stage.kill('four');
  await clock.advance(6_000);
  expect([names(one), names(two)]).toEqual([
    ['four', 'three'],
    ['four', 'three'],
  ]);
  expect([await one.dismiss('three'), await one.dismiss('three'), await one.dismiss('two')]).toEqual([
    true,
    false,
    false,
  ]);
  expect(names(one)).toEqual(['four']);
  await clock.advance(2_000);
  expect(names(two)).toEqual(['four']);
  await clock.advance(keptMs);
  expect([names(one), names(two)]).toEqual([[], []]);
  expect([...(await stage.store.settingsNamed('instance:')).keys()]).toEqual([
    'instance:one',
    'instance:two',
  ]);
});

it('the register keeps its last list while the store is away, and does not touch entries that it cannot read', async () => {
  stage = new Stage();
  const { clock, store } = stage;
  await store.setting('instance:odd', () => 'not JSON');
  await store.setting('instance:new', () => JSON.stringify({ startedAt: 'yesterday' }));
  const one = stage.start('one');
  stage.start('two');
  await clock.advance(2_000);
  stage.kill('two');
  await clock.advance(6_000);
  stage.isStoreAway = true;
  await clock.advance(6_000);
  expect(names(one)).toEqual(['two']);
  await expect(one.dismiss('two')).rejects.toBeInstanceOf(StoreUnavailableError);
  expect([...(await store.settingsNamed('instance:')).keys()]).toContain('instance:odd');
});

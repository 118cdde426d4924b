import { once } from 'node:events';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MongoClient } from 'mongodb';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { samplePackage } from '../../../test/contract/samples.ts';
import { allPackages } from '../../../test/support/all-packages.ts';
import { type Mongod, startLoneMongod, startMongod } from '../../../test/support/servers/mongod.ts';
import { mongodProxy } from '../../../test/support/servers/mongod-proxy.ts';
import { StoreUnavailableError } from '../store.ts';
import { openMongoStore } from './mongo-store.ts';

let mongod: Mongod;
beforeAll(async () => {
  mongod = await startMongod();
});
afterAll(() => mongod.stop());

/**
 * The error message of a failed start. A server that answers has time for its answer on a busy machine, and the tests
 * wait for servers that do not answer at the same time.
 */
async function refusal(url: string): Promise<string> {
  const opened = openMongoStore({ url, timeoutMs: 4_000 });
  const message = await opened.then(
    async (store) => {
      await store.close();
      return 'it was opened';
    },
    (error: Error) => error.message,
  );
  expect(message).not.toContain('\n');
  expect(message).not.toContain('s3cret');
  return message;
}

describe.concurrent('an unusable server is refused with one line that names it:', () => {
  test('an invalid URL', async () => {
    for (const url of ['', 'mongodb:', 'mongodb://', 'http://127.0.0.1/', 'localhost:27017']) {
      expect(await refusal(url), url).toMatch(/must look like mongodb:\/\//);
    }
    for (const url of [
      'mongodb://ann:s3cret@127.0.0.1:x/',
      'mongodb://ann:s3cret@127.0.0.1/?noSuch=1',
      'mongodb://ann:s3:cret@s3cret@host/',
      'mongodb://ann:s3cret@127.0.0.1,127.0.0.2/?directConnection=true',
    ]) {
      expect(await refusal(url), url).toMatch(/^the address of MongoDB cannot be used: /);
    }
  });

  test('a URL without a server', async () => {
    const closed = await freePort();
    expect(await refusal(`mongodb://ann:s3cret@127.0.0.1:${closed}/db?replicaSet=rs0`)).toMatch(
      new RegExp(`^MongoDB at 127.0.0.1:${closed} cannot be used: no server answers there.*ECONNREFUSED`),
    );
  });

  test('an unknown host', async () => {
    expect(await refusal('mongodb://no-such-host.invalid/db')).toMatch(
      /no server answers there.*no-such-host/,
    );
    expect(await refusal('mongodb+srv://no-such-host.invalid/db')).toMatch(
      /^MongoDB at no-such-host.invalid cannot be used: /,
    );
  });

  test('a server that accepts connections and does not answer', async () => {
    const mute = createServer().listen(0, '127.0.0.1');
    await once(mute, 'listening');
    const { port } = mute.address() as AddressInfo;
    expect(await refusal(`mongodb://127.0.0.1:${port}/`)).toMatch(/no server answers there/);
    mute.close();
  });

  test('a server without a replica set, whether or not the URL names one', async () => {
    await using alone = await startLoneMongod();
    for (const query of ['', '?replicaSet=rs0', '?directConnection=true']) {
      expect(await refusal(`mongodb://127.0.0.1:${alone.port}/${query}`)).toMatch(
        /it runs alone.* --replSet rs0 .*rs\.initiate\(\)/,
      );
    }
  });

  test('a replica set that was not initiated', async () => {
    await using raw = await startLoneMongod('--replSet', 'rs0');
    for (const query of ['', '?replicaSet=rs0', '?directConnection=true']) {
      expect(await refusal(`mongodb://127.0.0.1:${raw.port}/${query}`)).toMatch(/never initiated/);
    }
  });

  test('another replica set than in the URL', async () => {
    expect(await refusal(`mongodb://127.0.0.1:${mongod.ports[0]}/?replicaSet=other`)).toMatch(
      /its replica set is called rs0, and the address says replicaSet=other/,
    );
  });

  test('a replica set whose member names cannot be resolved here', async () => {
    await using node = await startLoneMongod('--replSet', 'rs0', '--setParameter', 'enableTestCommands=1');
    const members = [{ _id: 0, host: `localhost:${node.port}`, horizons: { away: 'mongo-1.invalid:27017' } }];
    await node.admin({ replSetInitiate: { _id: 'rs0', members } });
    await using proxy = await mongodProxy(node.port);
    // A client that connects under another name gets the members' own names.
    proxy.rewrite((reply) => replaceAll(reply, `localhost:${node.port}`, `elsewhere:${node.port}`));
    expect(await refusal(`mongodb://127.0.0.1:${proxy.port}/?replicaSet=rs0`)).toMatch(
      /calls its members elsewhere:\d+, and none can be reached under that name/,
    );
  });

  test('a missing or wrong password, and a user without permission', async ({ expect }) => {
    const folder = mkdtempSync(join(tmpdir(), 'mongo-key-'));
    const keyFile = join(folder, 'key');
    writeFileSync(keyFile, 'secretOfTheReplicaSet');
    chmodSync(keyFile, 0o400);
    await using guarded = await startLoneMongod('--replSet', 'rs0', '--keyFile', keyFile);
    const at = `127.0.0.1:${guarded.port}`;
    await guarded.admin({ replSetInitiate: { _id: 'rs0', members: [{ _id: 0, host: at }] } });
    await using root = new MongoClient(`mongodb://${at}/?directConnection=true`);
    const admin = root.db('admin');
    await expect
      .poll(async () => (await admin.command({ hello: 1 })).isWritablePrimary, { timeout: 20_000 })
      .toBe(true);
    await admin.command({ createUser: 'root', pwd: 's3cret-root', roles: ['root'] });
    await using asRoot = new MongoClient(`mongodb://root:s3cret-root@${at}/?directConnection=true`);
    await asRoot.db('admin').command({ createUser: 'ann', pwd: 's3cret', roles: [] });

    expect(await refusal(`mongodb://${at}/`)).toMatch(/it wants a user and a password$/);
    expect(await refusal(`mongodb://root:s3cret-x@${at}/`)).toMatch(/the user or the password is wrong/);
    expect(await refusal(`mongodb://ann:s3cret@${at}/db?authSource=admin`)).toMatch(
      /the user ann may not use the database: it needs the role readWrite/,
    );
    expect(await refusal(`mongodb://root:s3cret-root@${at}/`)).toBe('it was opened');
    rmSync(folder, { recursive: true });
  });

  test('a server that is too old', async () => {
    await using proxy = await mongodProxy(mongod.ports[0] as number);
    for (const wireVersion of [13, 6]) {
      proxy.rewrite((reply) => {
        const name = Buffer.from('maxWireVersion\0');
        const at = reply.indexOf(name);
        if (at >= 0) reply.writeInt32LE(wireVersion, at + name.length);
      });
      expect(await refusal(`mongodb://127.0.0.1:${proxy.port}/?directConnection=true`)).toMatch(
        /it is too old: MongoDB 6\.0 or newer is needed/,
      );
    }
  });
});

test.each(['listCollections', 'createIndexes'])(
  'a start that loses the server at %s waits for the server',
  async (command) => {
    await using proxy = await mongodProxy(mongod.ports[0] as number);
    proxy.decide((each) => (each === command ? 'cut' : 'pass'));
    const url = `mongodb://127.0.0.1:${proxy.port}/?directConnection=true`;
    const error = await openMongoStore({ url, timeoutMs: 500 }).then(
      () => undefined,
      (thrown: unknown) => thrown,
    );
    expect(error).toBeInstanceOf(StoreUnavailableError);
  },
);

test('the database is the one in the URL; by default ticket-booking', async () => {
  await using raw = new MongoClient(mongod.url);
  for (const [url, name] of [
    [mongod.url, 'ticket-booking'],
    [mongod.url.replace('/?', '/sale?'), 'sale'],
  ] as const) {
    const store = await openMongoStore({ url });
    await store.addPackages([samplePackage()]);
    await store.close();
    expect(await raw.db(name).collection('packages').countDocuments()).toBe(1);
  }
});

test('options in the URL cannot weaken the guarantees of the store', async () => {
  const weak = 'w=1&journal=false&readPreference=nearest&retryWrites=false&readConcernLevel=local';
  const store = await openMongoStore({ url: `${mongod.url.replace('/?', '/weak?')}&${weak}` });
  await using raw = new MongoClient(mongod.url);
  const db = raw.db('weak');
  await db.command({ profile: 2 });
  await store.addPackages([samplePackage()]);
  await store.package(1);
  const { fence, inventory } = (await store.takeOwnership(1, 'one'))!;
  await store.commit(1, fence, { inventory, inserted: [], updated: [] });
  const snapshot = await store.snapshot();
  expect(await snapshot?.package(1)).toBeDefined();
  await snapshot?.close();
  await store.close();
  const commands = (await db.collection('system.profile').find({ ns: 'weak.packages' }).toArray()).map(
    ({ command }) => command,
  );
  const insert = commands.find((command) => command.insert);
  expect(insert.writeConcern).toMatchObject({ w: 'majority', j: true });
  expect(insert.txnNumber).toBeDefined();
  const find = commands.find((command) => command.find && command.readConcern?.level !== 'snapshot');
  expect(find.readConcern).toMatchObject({ level: 'majority' });
  expect(find.$readPreference?.mode ?? 'primary').toBe('primary');
});

test('a reader creates no collections', async () => {
  const url = mongod.url.replace('/?', '/untouched?');
  const reader = await openMongoStore({ url, readOnly: true });
  expect(await allPackages(reader)).toEqual([]);
  expect(await reader.ledger.page('flights', undefined, 10)).toEqual({ items: [] });
  const snapshot = await reader.snapshot();
  expect(await snapshot?.ordersPage(1, undefined, 10)).toEqual({ items: [] });
  await snapshot?.close();
  await reader.close();
  await using raw = new MongoClient(mongod.url);
  expect(await raw.db('untouched').collections()).toEqual([]);
});

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const { port } = probe.address() as AddressInfo;
  probe.close();
  await once(probe, 'close');
  return port;
}

/** Both texts must have the same length. */
function replaceAll(bytes: Buffer, from: string, to: string): void {
  for (let at = bytes.indexOf(from); at >= 0; at = bytes.indexOf(from, at + 1)) bytes.write(to, at);
}

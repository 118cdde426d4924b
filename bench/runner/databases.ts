import { join } from 'node:path';
import { Redis } from 'ioredis';
import { MongoClient } from 'mongodb';
import { type Mongod, startMongod } from '../../test/support/servers/mongod.ts';
import { type RedisServer, startRedis } from '../../test/support/servers/redis.ts';
import { childrenNamed } from './processes.ts';

/** MongoDB and Redis. Each is started at its first use and runs until the end of the bench. */
export interface Databases extends AsyncDisposable {
  /** A new database, and a function that drops it. */
  freshMongo(): Promise<Database & { drop(): Promise<void> }>;
  /** A Redis without keys. */
  emptyRedis(): Promise<Database>;
  /** Versions of the started databases: `mongod 6.0.5`. */
  versions(): Promise<readonly string[]>;
}

export interface Database {
  readonly url: string;
  /** The processes of its server. */
  readonly pids: readonly number[];
}

/** @param folder for MongoDB's data and journal, on a real disk. */
export function openDatabases(folder: string, onProgress: (what: string) => void): Databases {
  const started: AsyncDisposable[] = [];
  let mongod: Promise<Mongod> | undefined;
  let redis: Promise<RedisServer> | undefined;
  let count = 0;

  const keep = async <T extends AsyncDisposable>(starting: Promise<T>): Promise<T> => {
    const server = await starting;
    started.push(server);
    return server;
  };
  return {
    async freshMongo() {
      if (mongod === undefined) onProgress('MongoDB');
      mongod ??= keep(startMongod({ detached: true, folder: join(folder, 'mongodb') }));
      const { url } = await mongod;
      count += 1;
      const name = `bench-${count}`;
      const pids = await childrenNamed('mongod');
      return { url: url.replace('/?', `/${name}?`), pids, drop: () => drop(url, name) };
    },
    async emptyRedis() {
      if (redis === undefined) onProgress('Redis');
      redis ??= keep(startRedis({ detached: true }));
      const server = await redis;
      await server.flush();
      return { url: server.url, pids: await childrenNamed('redis-server') };
    },
    async versions() {
      const all = [
        mongod?.then(({ url }) => mongodVersion(url)),
        redis?.then(({ url }) => redisVersion(url)),
      ];
      return (await Promise.all(all)).filter((version) => version !== undefined);
    },
    async [Symbol.asyncDispose]() {
      // Waits for one that is still starting, which would otherwise be left running.
      await Promise.allSettled([mongod, redis]);
      await Promise.allSettled(started.map((server) => server[Symbol.asyncDispose]()));
    },
  };
}

async function drop(url: string, name: string): Promise<void> {
  await using client = new MongoClient(url);
  await client.db(name).dropDatabase();
}

async function mongodVersion(url: string): Promise<string> {
  await using client = new MongoClient(url);
  const { version } = await client.db('admin').command({ buildInfo: 1 });
  return `mongod ${version}`;
}

async function redisVersion(url: string): Promise<string> {
  const client = new Redis(url);
  try {
    return `redis-server ${/redis_version:(\S+)/.exec(await client.info('server'))?.[1] ?? ''}`.trimEnd();
  } finally {
    client.disconnect();
  }
}

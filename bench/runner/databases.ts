import { join } from 'node:path';
import { Redis } from 'ioredis';
import { MongoClient } from 'mongodb';
import { type Mongod, startMongod } from '../../test/support/servers/mongod.ts';
import { type RedisServer, startRedis } from '../../test/support/servers/redis.ts';
import { childrenNamed } from './processes.ts';

/** MongoDB and Redis. Each is started at its first use and runs until the end of the bench. */
export interface Databases extends AsyncDisposable {
  /** The URL of a new database, and a function that drops it. */
  freshMongo(): Promise<{ readonly url: string; drop(): Promise<void> }>;
  /** The URL of a Redis without keys. */
  emptyRedis(): Promise<string>;
  pids(): readonly number[];
  /** Versions of the started databases: `mongod 6.0.5`. */
  versions(): Promise<readonly string[]>;
}

/** @param folder for MongoDB's data and journal, on a real disk. */
export function openDatabases(folder: string, onProgress: (what: string) => void): Databases {
  const started: AsyncDisposable[] = [];
  let pids: readonly number[] = [];
  let mongod: Promise<Mongod> | undefined;
  let redis: Promise<RedisServer> | undefined;
  let count = 0;

  const keep = async <T extends AsyncDisposable>(starting: Promise<T>): Promise<T> => {
    const server = await starting;
    started.push(server);
    pids = await childrenNamed(['mongod', 'redis-server']);
    return server;
  };
  return {
    async freshMongo() {
      if (mongod === undefined) onProgress('MongoDB');
      mongod ??= keep(startMongod({ detached: true, folder: join(folder, 'mongodb') }));
      const { url } = await mongod;
      count += 1;
      const name = `bench-${count}`;
      return { url: url.replace('/?', `/${name}?`), drop: () => drop(url, name) };
    },
    async emptyRedis() {
      if (redis === undefined) onProgress('Redis');
      redis ??= keep(startRedis({ detached: true }));
      const server = await redis;
      await server.flush();
      return server.url;
    },
    pids: () => pids,
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

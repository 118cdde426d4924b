import { MongoClient } from 'mongodb';
import { afterAll, beforeAll } from 'vitest';
import { type Mongod, type MongodOptions, startMongod } from './mongod.ts';

/** Starts a replica set before the tests of a file, with a client of its own, and stops both after them. */
export function mongodOfFile(options: MongodOptions = {}): {
  readonly server: Mongod;
  readonly raw: MongoClient;
} {
  let server: Mongod;
  let raw: MongoClient;
  beforeAll(async () => {
    server = await startMongod(options);
    raw = new MongoClient(server.url);
  });
  afterAll(async () => {
    await raw?.close();
    await server?.stop();
  });
  return {
    get server() {
      return server;
    },
    get raw() {
      return raw;
    },
  };
}

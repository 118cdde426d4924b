/** What a subject runs on, and as what. */
export interface Kind {
  readonly store: 'sqlite' | 'mongodb' | 'none';
  readonly needsRedis: boolean;
  /** Of ours; absent: a program of `bench/baselines/`. */
  readonly engine?: 'actor' | 'lock' | 'queue';
}

export const kinds: Readonly<Record<string, Kind>> = {
  'actor-sqlite': { store: 'sqlite', needsRedis: false, engine: 'actor' },
  'actor-mongodb': { store: 'mongodb', needsRedis: false, engine: 'actor' },
  lock: { store: 'mongodb', needsRedis: true, engine: 'lock' },
  queue: { store: 'mongodb', needsRedis: true, engine: 'queue' },
  atomic: { store: 'mongodb', needsRedis: false },
  lua: { store: 'none', needsRedis: true },
  hello: { store: 'none', needsRedis: false },
};

/** How a kind of server is started. */
export interface ServerKind {
  readonly store: 'sqlite' | 'mongodb' | 'none';
  readonly needsRedis: boolean;
  /** The engine of one of our servers; absent for a program in `bench/baselines/`. */
  readonly engine?: 'actor' | 'lock' | 'queue';
}

export const kinds: Readonly<Record<string, ServerKind>> = {
  'actor-sqlite': { store: 'sqlite', needsRedis: false, engine: 'actor' },
  'actor-mongodb': { store: 'mongodb', needsRedis: false, engine: 'actor' },
  lock: { store: 'mongodb', needsRedis: true, engine: 'lock' },
  queue: { store: 'mongodb', needsRedis: true, engine: 'queue' },
  atomic: { store: 'mongodb', needsRedis: false },
  lua: { store: 'none', needsRedis: true },
  hello: { store: 'none', needsRedis: false },
};

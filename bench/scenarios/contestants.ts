import type { Entrant } from '../runner/rounds.ts';
import type { SystemUnderTest } from '../testbed.ts';

/** More units than a bench can sell. */
export const plenty = 10_000_000;

const titles: Readonly<Record<string, { title: string; isOurs?: true }>> = {
  'actor-sqlite': { title: 'ticket-booking on SQLite', isOurs: true },
  'actor-mongodb': { title: 'ticket-booking on MongoDB', isOurs: true },
  lock: { title: 'a Redlock around each purchase' },
  queue: { title: 'a queue with one consumer' },
  atomic: { title: 'an atomic update per request' },
  lua: { title: 'a Redis script, which keeps nothing' },
  'floor-sqlite': { title: 'the bare floor on SQLite' },
  'floor-mongodb': { title: 'the bare floor on MongoDB' },
  restate: { title: 'Restate, a virtual object per package' },
  hello: { title: 'hello world: the ceiling' },
};

/** The names that `--only` accepts. */
export const contestants: readonly string[] = Object.keys(titles);

/** @param kinds in the order of the report. */
export function entrants(kinds: readonly string[], packages: SystemUnderTest['packages']): Entrant[] {
  return kinds.map((kind) => {
    const { title = kind, isOurs = false } = titles[kind] ?? {};
    return { name: kind, title, isOurs, subject: { kind, packages } };
  });
}

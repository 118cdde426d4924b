import type { Entrant } from '../runner/rounds.ts';
import type { SystemUnderTest } from '../testbed.ts';

/** More units than a bench can sell. */
export const plenty = 10_000_000;

const titles: Readonly<Record<string, { title: string; isOurs?: true }>> = {
  'actor-sqlite': { title: 'ticket-booking on SQLite', isOurs: true },
  'actor-mongodb': { title: 'ticket-booking on MongoDB', isOurs: true },
  'actor-sqlite-limited': { title: 'ticket-booking on SQLite, limits on', isOurs: true },
  'actor-mongodb-limited': { title: 'ticket-booking on MongoDB, limits on', isOurs: true },
  'actor-sqlite-notices': { title: 'ticket-booking on SQLite, webhooks on', isOurs: true },
  'actor-mongodb-notices': { title: 'ticket-booking on MongoDB, webhooks on', isOurs: true },
  lock: { title: 'a Redlock around each purchase' },
  queue: { title: 'a queue with one consumer' },
  atomic: { title: 'an atomic update per request' },
  lua: { title: 'a Redis script, which keeps nothing' },
  'floor-sqlite': { title: 'the bare floor on SQLite' },
  'floor-mongodb': { title: 'the bare floor on MongoDB' },
  restate: { title: 'Restate, a virtual object per package' },
  hello: { title: 'hello world: the ceiling' },
};

/** Rate limits that count every purchase, and are too high to refuse one. */
const limitsOn = { RATE_LIMIT: 'on', RATE_LIMIT_PURCHASES: '999999999/10s' };

/** The servers of contestants that are another one's variant. */
const variants: Readonly<Record<string, Pick<SystemUnderTest, 'kind' | 'settings' | 'webhooks'>>> = {
  'actor-sqlite-limited': { kind: 'actor-sqlite', settings: limitsOn },
  'actor-mongodb-limited': { kind: 'actor-mongodb', settings: limitsOn },
  'actor-sqlite-notices': { kind: 'actor-sqlite', webhooks: true },
  'actor-mongodb-notices': { kind: 'actor-mongodb', webhooks: true },
};

/** The names that `--only` accepts. */
export const contestants: readonly string[] = Object.keys(titles);

/** @param names in the order of the report. */
export function entrants(names: readonly string[], packages: SystemUnderTest['packages']): Entrant[] {
  return names.map((name) => {
    const { title = name, isOurs = false } = titles[name] ?? {};
    return { name, title, isOurs, subject: { kind: name, packages, ...variants[name] } };
  });
}

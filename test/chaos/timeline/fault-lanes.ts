import type { FaultEntry } from '../history.ts';
import type { Damage } from './colours.ts';

/** The faults of one kind of target. */
export interface FaultLane {
  readonly title: string;
  /** One row for each target, for example for three instances. */
  readonly rows: readonly (readonly FaultEntry[])[];
  readonly count: number;
}

/**
 * The kinds of targets, in the order of the page. A link belongs to the kind of its far end; only the links of clients
 * belong to the clients.
 */
const kinds: readonly (readonly [title: string, target: RegExp])[] = [
  ['Instances', /^instance-\d+$/],
  ['Clients’ network', /^clients/],
  ['MongoDB', /mongo/],
  ['Redis', /redis/],
  ['Suppliers', /suppliers?/],
  ['Payment provider', /^payments$/],
  ['One package’s suppliers', /^package/],
  ['Others', /./],
];

/** One lane for each kind of target that had a fault. */
export function lanesOf(faults: readonly FaultEntry[]): FaultLane[] {
  const byKind = Map.groupBy(faults, ({ target }) => kinds.find(([, pattern]) => pattern.test(target))?.[0]);
  return kinds.flatMap(([title]) => {
    const ofKind = byKind.get(title);
    if (ofKind === undefined) return [];
    const byTarget = Map.groupBy(ofKind, ({ target }) => target);
    const targets = [...byTarget.keys()].sort((a, b) => a.localeCompare(b, 'en', { numeric: true }));
    return [{ title, rows: targets.map((target) => byTarget.get(target) ?? []), count: ofKind.length }];
  });
}

/** The name of a row: `1` for `instance-1`, `from 1` for `instance-1 to redis`, `to 1` for `clients to instance-1`. */
export function shortName(target: string): string {
  const [from = '', to] = target.split(' to ');
  const number = (name: string) => /\d+$/.exec(name)?.[0] ?? '';
  if (to === undefined) return number(from);
  return number(from) === '' ? `to ${number(to)}` : `from ${number(from)}`;
}

const patterns: readonly (readonly [Damage, RegExp])[] = [
  ['network', /delay|cut$|blackhole|partition/],
  ['killed', /kill|restarted/],
  ['frozen', /pause|freeze|frozen/],
  ['moved', /step-?down|rolling|drain|term/],
  ['failing', /./],
];

/** The damage of a fault, by the fault's name. `cut` is a fault of the network; `supplier cuts` are failing calls. */
export function damageOf(fault: string): Damage {
  return patterns.find(([, pattern]) => pattern.test(fault))?.[0] ?? 'failing';
}

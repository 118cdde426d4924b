import type { FaultEntry } from '../history.ts';
import type { Harm } from './palette.ts';

/** The faults that met one kind of target. */
export interface FaultLane {
  readonly title: string;
  /** One for each of its kind: three instances, three members. */
  readonly rows: readonly (readonly FaultEntry[])[];
  readonly count: number;
}

/** In the order in which the page shows them. A link belongs to what is at its far end, those of clients to them. */
const kinds: readonly (readonly [title: string, target: RegExp])[] = [
  ['Instances', /^instance-\d+$/],
  ['Clients’ network', /^clients/],
  ['MongoDB', /mongo/],
  ['Redis', /redis/],
  ['Suppliers', /suppliers?/],
  ['Others', /./],
];

/** A lane for each kind of target that was hit, with a row for each target of it. */
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

/** Within its lane: `1` for `instance-1`, `from 1` for `instance-1 to redis`, `to 1` for `clients to instance-1`. */
export function shortName(target: string): string {
  const [from = '', to] = target.split(' to ');
  const number = (name: string) => /\d+$/.exec(name)?.[0] ?? '';
  if (to === undefined) return number(from);
  return number(from) === '' ? `to ${number(to)}` : `from ${number(from)}`;
}

const harmOf: readonly (readonly [Harm, RegExp])[] = [
  ['network', /delay|cut$|blackhole|partition/],
  ['killed', /kill|restarted/],
  ['frozen', /pause|freeze|frozen/],
  ['moved', /step-?down|rolling|drain|term/],
  ['failing', /./],
];

/** `supplier cuts` are failing calls, `cut` is a network. */
export function harm(fault: string): Harm {
  return harmOf.find(([, pattern]) => pattern.test(fault))?.[0] ?? 'failing';
}

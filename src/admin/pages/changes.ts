import type { Json } from '../../lib/json.ts';
import type { OperatorEvent } from '../../storage/operator-log.ts';

/** One field of a change. */
export interface Change {
  readonly name: string;
  /** Absent if the field had no value. */
  readonly before?: Json;
  /** Absent if the field has no value any more. */
  readonly after?: Json;
}

/** Fields that the list leaves out, because they do not help an operator. */
const bookkeeping: ReadonlySet<string> = new Set(['version', 'id']);

/** The default of each flag that a package may lack. */
const absentMeans: Readonly<Record<string, boolean>> = { paused: false, listed: true, archived: false };

/** Whether the change removed its target. */
export function isRemoval({ action, outcome }: OperatorEvent): boolean {
  return action === 'package.delete' && outcome === 'done';
}

/** The package of a change. The id of a new package is in `after`. */
export function packageIdOf({ target, after }: OperatorEvent): number | undefined {
  const created = fieldsOf(after).get('id');
  return target.packageId ?? (typeof created === 'number' ? created : undefined);
}

/**
 * The fields that a change modified, with their values before and after. A change that was refused or has not ended
 * shows the stored values and the requested ones. A removal shows all fields.
 */
export function changesOf(event: OperatorEvent): Change[] {
  const { before, after, wish, outcome } = event;
  const was = fieldsOf(before);
  const is = outcome === 'done' ? fieldsOf(after ?? wish) : fieldsOf(wish);
  const isWhole = outcome === 'done' && (after !== undefined || isRemoval(event));
  const names = isWhole ? new Set([...was.keys(), ...is.keys()]) : is.keys();
  const changes: Change[] = [];
  for (const name of names) {
    const from = was.get(name) ?? (before === undefined ? undefined : absentMeans[name]);
    const to = is.get(name) ?? (after === undefined ? undefined : absentMeans[name]);
    if (bookkeeping.has(name) || JSON.stringify(from) === JSON.stringify(to)) continue;
    changes.push({
      name,
      ...(from === undefined ? {} : { before: from }),
      ...(to === undefined ? {} : { after: to }),
    });
  }
  return changes;
}

/** Nested objects are flattened: `package.flight`. */
function fieldsOf(value: Json | undefined, prefix = ''): Map<string, Json> {
  const fields = new Map<string, Json>();
  if (value === undefined || value === null || typeof value !== 'object' || Array.isArray(value)) {
    return fields;
  }
  for (const [name, field] of Object.entries(value as Readonly<Record<string, Json>>)) {
    const isNested = field !== null && typeof field === 'object' && !Array.isArray(field);
    if (!isNested) fields.set(prefix + name, field);
    else for (const [inner, deep] of fieldsOf(field, `${prefix}${name}.`)) fields.set(inner, deep);
  }
  return fields;
}

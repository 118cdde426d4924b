/** Answers outside 2xx that are final outcomes all the same: the sale, or a supplier, has decided. */
const decided: ReadonlySet<string> = new Set(['409 sold_out', '409 queue_full', '502 supplier_failed']);
/** The order is stored and its outcome is still to come. */
const accepted = '202';

/**
 * Whether this answer, by its status and problem code, is a final outcome: the one definition of "finished", for
 * rates, latencies and assertions alike. A 202 is not one yet.
 */
export function isOutcome(name: string): boolean {
  return (isSuccess(name) && name !== accepted) || decided.has(name);
}

/** Whether this answer is an error, however fast it was: 429 and 503 as much as 404. */
export function isError(name: string): boolean {
  return !isSuccess(name) && !decided.has(name);
}

export function isSuccess(name: string): boolean {
  return name.length === 3 && name.startsWith('2');
}

/** How many of these answers are final outcomes. */
export function outcomesIn(answers: Readonly<Record<string, number>>): number {
  return countOf(answers, isOutcome);
}

export function countOf(
  answers: Readonly<Record<string, number>>,
  isMeant: (name: string) => boolean,
): number {
  return Object.entries(answers).reduce((sum, [name, count]) => sum + (isMeant(name) ? count : 0), 0);
}

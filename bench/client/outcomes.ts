/** Answers outside 2xx that are final outcomes: the sale or a supplier has decided. */
const decided: ReadonlySet<string> = new Set(['409 sold_out', '409 queue_full', '502 supplier_failed']);
/** The order is stored, but its outcome is still open. */
const accepted = '202';

/**
 * Whether an answer, given as status and problem code, is a final outcome. This is the definition of "finished" for
 * rates, latencies and assertions. A 202 is not final.
 */
export function isOutcome(name: string): boolean {
  return (isSuccess(name) && name !== accepted) || decided.has(name);
}

/** Whether an answer is an error, regardless of its latency: for example 429, 503 and 404. */
export function isError(name: string): boolean {
  return !isSuccess(name) && !decided.has(name);
}

export function isSuccess(name: string): boolean {
  return name.length === 3 && name.startsWith('2');
}

/** Counts the answers that are final outcomes. */
export function outcomesIn(answers: Readonly<Record<string, number>>): number {
  return countOf(answers, isOutcome);
}

export function countOf(
  answers: Readonly<Record<string, number>>,
  isMeant: (name: string) => boolean,
): number {
  return Object.entries(answers).reduce((sum, [name, count]) => sum + (isMeant(name) ? count : 0), 0);
}

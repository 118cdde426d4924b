/** Calls a function at an interval until it is stopped. */
export function every(ms: number, act: () => void): { stop(): void } {
  const timer = setInterval(act, ms);
  return { stop: () => clearInterval(timer) };
}

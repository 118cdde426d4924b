/** ms since 1970, with fractions, that never go back: the clock that all clients of a run share. */
export function clientsNow(): number {
  return Math.round((performance.timeOrigin + performance.now()) * 1_000) / 1_000;
}

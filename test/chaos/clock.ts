/** Milliseconds since 1970 with fractions. The clock never goes back, and all clients of a run share it. */
export function clientsNow(): number {
  return Math.round((performance.timeOrigin + performance.now()) * 1_000) / 1_000;
}

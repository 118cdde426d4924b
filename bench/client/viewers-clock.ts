/** What `performance.now()` lacks to the system's monotonic clock, in ms. */
const lackMs = Number(process.hrtime.bigint()) / 1e6 - performance.now();

/** ms of a clock that all processes of a machine share and that nobody sets: only differences mean something. */
export function monotonicMs(): number {
  return lackMs + performance.now();
}

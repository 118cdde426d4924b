/** The system's monotonic clock minus `performance.now()`, in ms. */
const lackMs = Number(process.hrtime.bigint()) / 1e6 - performance.now();

/**
 * ms of a clock that all processes of the machine share and that is never adjusted. Only differences are meaningful.
 */
export function monotonicMs(): number {
  return lackMs + performance.now();
}

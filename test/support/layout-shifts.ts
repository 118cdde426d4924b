/**
 * Watches a page from now on, in the page: whether it is loaded again, and which elements an update moves. An update just
 * before is laid out in the next frame, and does not count.
 */
export const watch = `
  new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(() => {
    window.isTheSame = true;
    window.shifts = [];
    window.shiftWatch = new PerformanceObserver((list) => window.shifts.push(...list.getEntries()));
    window.shiftWatch.observe({ type: 'layout-shift' });
    resolve();
  })))`;

/** What {@link watch} has seen so far: `{ reloaded, shifts }`. */
export const seen = `
  new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(() => {
    window.shifts.push(...window.shiftWatch.takeRecords());
    const shifts = window.shifts.map(({ value, sources }) =>
      [value, ...sources.map(({ node }) => node?.outerHTML ?? node?.parentElement?.outerHTML ?? 'gone')]);
    resolve({ reloaded: window.isTheSame !== true, shifts });
  })))`;

/* An order's page: updates the title, announces changes to screen readers, and keeps the focus. */
(() => {
  const find = () => document.getElementById('order-live');
  if (!find()) return;
  const { announce, fill, localTimes } = window.ticketPage;
  const said = window.ticketTexts.result;
  /** The least time between two announcements of the position. */
  const announceEveryMs = 10_000;
  let { outcome, status, place } = find().dataset;
  let announcedAt = 0;
  let hadFocus = false;

  document.addEventListener('focusin', (event) => {
    hadFocus = find().contains(event.target);
  });
  document.addEventListener('live:change', () => {
    const { dataset } = find();
    localTimes();
    if (document.title !== dataset.title) document.title = dataset.title;
    announceChange(dataset);
    keepFocus();
    if (dataset.settled === 'yes') window.ticketLive.stop();
  });

  function announceChange(now) {
    if (now.outcome && now.outcome !== outcome) {
      announce(now.outcome, { atOnce: true });
    } else if (now.status !== status) {
      announce(find().querySelector('.headline').textContent);
    } else if (now.place !== place && performance.now() - announcedAt > announceEveryMs) {
      announcedAt = performance.now();
      announce(fill(said.position, { position: now.place }));
    }
    ({ outcome, status, place } = now);
  }

  /** If an update has removed the focused element, focuses the new headline. */
  function keepFocus() {
    if (!hadFocus || document.activeElement !== document.body) return;
    find().querySelector('.headline').focus({ preventScroll: true });
  }
})();

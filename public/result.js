/* Result and queue pages beyond their live fragment: the tab's title, announcements, and where the focus goes. */
(() => {
  const find = () => document.getElementById('order-live');
  if (!find()) return;
  const { announce, localTimes } = window.ticketPage;
  /** A queue that moves fast is not read out at every step. */
  const placeMs = 10_000;
  let { outcome, status, place } = find().dataset;
  let saidPlaceAt = 0;
  let hadFocus = false;

  document.addEventListener('focusin', (event) => {
    hadFocus = find().contains(event.target);
  });
  document.addEventListener('live:change', () => {
    const { dataset } = find();
    localTimes();
    if (document.title !== dataset.title) document.title = dataset.title;
    tell(dataset);
    keepFocus();
    if (dataset.settled === 'yes') window.ticketLive.stop();
  });

  function tell(now) {
    if (now.outcome && now.outcome !== outcome) {
      announce(now.outcome, { atOnce: true });
    } else if (now.status !== status) {
      announce(find().querySelector('.headline').textContent);
    } else if (now.place !== place && performance.now() - saidPlaceAt > placeMs) {
      saidPlaceAt = performance.now();
      announce(`You are number ${now.place} in the queue.`);
    }
    ({ outcome, status, place } = now);
  }

  /** What had the focus may be gone with the old state: then the new headline takes it. */
  function keepFocus() {
    if (!hadFocus || document.activeElement !== document.body) return;
    find().querySelector('.headline').focus({ preventScroll: true });
  }
})();

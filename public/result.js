/* An order's page: updates the title, counts down, announces changes to screen readers, and keeps the focus. */
(() => {
  const find = () => document.getElementById('order-live');
  if (!find()) return;
  const { announce, countdown, fill, localTimes } = window.ticketPage;
  const said = window.ticketTexts.result;
  /** The least time between two announcements of the position. */
  const announceEveryMs = 10_000;
  let { outcome, status, place } = find().dataset;
  let announcedAt = 0;
  let hadFocus = false;
  let timer;
  let leftMs = 0;

  showTimeLeft();

  document.addEventListener('focusin', (event) => {
    hadFocus = find().contains(event.target);
  });
  document.addEventListener('live:change', () => {
    const { dataset } = find();
    localTimes();
    showTimeLeft();
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

  /** The time that is left to pay. It is announced once, a minute before its end. */
  function showTimeLeft() {
    clearTimeout(timer);
    const shown = document.getElementById('countdown');
    if (!shown) return;
    const before = leftMs;
    leftMs = shown.dataset.until - window.ticketLive.now();
    shown.textContent = countdown(leftMs);
    if (before > 60_000 && leftMs <= 60_000) announce(said.lastMinute);
    if (leftMs > 0) timer = setTimeout(showTimeLeft, (leftMs % 1000) + 1);
    else find().querySelector('.pay').dataset.over = 'yes';
  }

  /** If an update has removed the focused element, focuses the new headline. */
  function keepFocus() {
    if (!hadFocus || document.activeElement !== document.body) return;
    find().querySelector('.headline').focus({ preventScroll: true });
  }
})();

/*
 * The order page: which trips can be chosen, the bar at the bottom, and countdowns with the server's time. Updates never
 * change the focus or the choice.
 */
(() => {
  const form = document.getElementById('order-form');
  if (!form) return;
  const button = document.getElementById('buy');
  const trips = document.getElementById('trips');
  const shownFlight = form.querySelector('.choice-flight');
  const shownNight = form.querySelector('.choice-night');
  const shownPrice = form.querySelector('.choice-price');
  const { announce, countdown, fill, moment, tabStorage } = window.ticketPage;
  const said = window.ticketTexts.order;
  const onOffer = new Set(['free', 'line']);
  const labels = {
    free: said.order,
    line: said.joinQueue,
    sold_out: said.soldOut,
    closed: said.closed,
    paused: said.paused,
  };
  const known = new Map();
  let timer;

  /*
   * Without a chosen trip, submitting marks the list of trips instead of the email field. This listener is registered
   * first, so that it can stop the others.
   */
  const tripsError = document.getElementById('trips-error');
  const pointAtTrips = (event) => {
    if (form.elements.packageId.value !== '') return;
    event.preventDefault();
    event.stopImmediatePropagation();
    trips.setAttribute('aria-invalid', 'true');
    tripsError.hidden = false;
    trips.focus({ preventScroll: true });
    tripsError.scrollIntoView({ block: 'start' });
  };
  form.addEventListener('submit', pointAtTrips);
  form.addEventListener('invalid', pointAtTrips, true);
  form.addEventListener('change', () => {
    if (form.elements.packageId.value === '') return;
    trips.removeAttribute('aria-invalid');
    tripsError.hidden = true;
  });

  /* The input is kept when the customer switches the order page or the language, searches, or turns the page. */
  const entered = 'entered-order';
  const keepEntered = () => {
    const { packageId, email } = form.elements;
    tabStorage.write(entered, { packageId: packageId.value, email: email.value });
  };
  for (const link of document.querySelectorAll('.modes a, .pages a, .search-clear, .languages a')) {
    link.addEventListener('click', keepEntered);
  }
  document.getElementById('trip-search')?.addEventListener('submit', keepEntered);
  if (form.elements.packageId.value === '') enterAgain(unanswered());
  enterAgain(tabStorage.read(entered));
  tabStorage.write(entered);

  /** The input of the newest unanswered purchase: see purchase-store.js. */
  function unanswered() {
    return window.ticketOrders.openOrders()[0]?.fields ?? {};
  }

  function enterAgain({ packageId, email }) {
    const stay = document.getElementById(`package-${packageId}`);
    if (stay && !stay.disabled) stay.checked = true;
    if (email) form.elements.email.value = email;
  }

  // Uses aria-disabled, because `disabled` would lose the focus. page.js does not submit with an aria-disabled button.
  button.disabled = false;
  form.addEventListener('change', update);
  document.addEventListener('live:change', update);
  window.addEventListener('pageshow', update);
  update();

  function update() {
    clearTimeout(timer);
    const now = window.ticketLive.now();
    const stays = [...form.querySelectorAll('.stay')].map((stay) => readStay(stay, now));
    stays.forEach(showStay);
    showBar(stays, now);
    const next = Math.min(...stays.map((stay) => msToChange(stay, now)));
    if (next < Number.POSITIVE_INFINITY) timer = setTimeout(update, next);
  }

  function readStay(element, now) {
    const { openState, opensAt, closesAt } = element.dataset;
    let state = openState;
    if (openState !== 'sold_out' && opensAt && now < Number(opensAt)) state = 'not_open';
    if (openState !== 'sold_out' && closesAt && now >= Number(closesAt)) state = 'closed';
    const input = element.parentElement.querySelector('input');
    return { element, input, state, opensAt: Number(opensAt || 0), closesAt: Number(closesAt || 0) };
  }

  function showStay({ element, input, state, opensAt }) {
    element.dataset.state = state;
    const status = element.querySelector('.stay-status');
    if (state === 'not_open') status.textContent = fill(said.opens, { moment: moment.format(opensAt) });
    else if (state === 'closed') status.textContent = said.closed;
    else status.textContent = status.dataset.openWords;
    const isOff = !onOffer.has(state) && state !== 'not_open';
    input.disabled = isOff && !input.checked && input !== document.activeElement;
    const before = known.get(element.id);
    known.set(element.id, state);
    if (before !== undefined && before !== state) announce(`${input.dataset.choice}: ${status.textContent}`);
  }

  function showBar(stays, now) {
    const chosen = stays.find(({ input }) => input.checked);
    if (chosen) {
      shownFlight.textContent = chosen.input.dataset.flight;
      shownNight.textContent = chosen.input.dataset.night;
      shownPrice.textContent = chosen.element.querySelector('.stay-price').textContent;
    }
    if (button.hasAttribute('aria-busy')) return;
    const best = chosen ?? bestOf(stays);
    const label =
      best.state === 'not_open'
        ? fill(said.opensIn, { countdown: countdown(best.opensAt - now) })
        : labels[best.state];
    const text = chosen || best.state !== 'line' ? label : said.order;
    const isOff = !onOffer.has(best.state);
    const shown = button.querySelector('.button-label');
    if (shown.textContent !== text) shown.textContent = text;
    button.setAttribute('aria-disabled', String(isOff));
  }

  /** The package that the button refers to before one is chosen: one that can be ordered, else the first to open. */
  function bestOf(stays) {
    const rank = (stay) =>
      onOffer.has(stay.state) ? 0 : stay.state === 'not_open' ? stay.opensAt : Number.MAX_VALUE;
    return stays.reduce((best, stay) => (rank(stay) < rank(best) ? stay : best));
  }

  /** Milliseconds to the next update: the next second of a countdown, or the opening or closing of a sale. */
  function msToChange({ state, opensAt, closesAt }, now) {
    const upTo = (at) => Math.min(at - now, 60_000);
    if (state === 'not_open') return Math.min(opensAt - now, ((opensAt - now) % 1000) + 1);
    return closesAt > now ? upTo(closesAt) : Number.POSITIVE_INFINITY;
  }
})();

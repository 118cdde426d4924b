/*
 * Keeps a page live. htmx's hx-ws connects, reconnects and swaps fragments. This script detects dead sockets, polls while
 * there is no socket, reconnects at once when the network or the tab is back, and knows the server's time.
 * It fires `live:change` on the document after every change.
 */
(() => {
  /** The server sends something at least every 4 s; a socket that is silent for longer than this is dead. */
  const silenceMsMax = 9000;
  const pollMs = 2000;
  /** Timeout for connecting. */
  const connectMsMax = 4000;
  const said = window.ticketTexts.live;

  let source = document.getElementById('live');
  if (!source) return;
  const chip = document.getElementById('live-chip');
  let clockOffset = Number(document.documentElement.dataset.now) - Date.now();
  let connection;
  let isOpen = false;
  let isOver = false;
  let isPolling = false;
  let heardAt = performance.now();
  let triedAt = performance.now();
  let polledAt = performance.now();

  window.ticketLive = { now: () => Date.now() + clockOffset, stop };

  const ours = (handle) => (event) => {
    if (event.target === source) handle(event);
  };
  document.addEventListener(
    'htmx:ws:before:connection',
    ours(({ detail }) => {
      connection = detail.connection;
      triedAt = performance.now();
    }),
  );
  document.addEventListener(
    'htmx:ws:after:connection',
    ours(() => {
      isOpen = true;
      heard();
    }),
  );
  document.addEventListener(
    'htmx:ws:close',
    ours(() => {
      isOpen = false;
      show('reconnecting', said.reconnecting);
    }),
  );
  document.addEventListener(
    'htmx:ws:before:message:incoming',
    ours(({ detail }) => {
      const { data } = detail.message;
      if (data.startsWith('{"now":')) clockOffset = JSON.parse(data).now - Date.now();
      heard();
    }),
  );
  document.addEventListener('htmx:ws:after:message:incoming', ours(changed));

  window.addEventListener('online', reconnect);
  window.addEventListener('offline', () => show('reconnecting', said.reconnecting));
  window.addEventListener('pageshow', (event) => {
    if (event.persisted) reconnect();
  });
  document.addEventListener('visibilitychange', () => {
    if (document.hidden || isOver) return;
    if (!isOpen || performance.now() - heardAt > silenceMsMax / 2) reconnect();
  });
  const watch = setInterval(look, 500);

  function look() {
    const now = performance.now();
    if (isOpen && now - heardAt > silenceMsMax) reconnect();
    if (isOpen || document.hidden) return;
    if (connection?.socket?.readyState === WebSocket.CONNECTING && now - triedAt > connectMsMax) reconnect();
    if (now - polledAt >= pollMs) void poll();
  }

  /** Opens a new socket. htmx binds a connection to its element, so the element is replaced. */
  function reconnect() {
    if (isOver) return;
    isOpen = false;
    show('reconnecting', said.reconnecting);
    const fresh = source.cloneNode();
    fresh.removeAttribute('data-htmx-powered');
    drop();
    source.replaceWith(fresh);
    source = fresh;
    triedAt = performance.now();
    window.htmx.process(fresh);
    void poll();
  }

  function drop() {
    clearTimeout(connection?.timer);
    connection?.socket?.close();
    connection = undefined;
  }

  /** Ends live updates, when nothing can change any more. */
  function stop() {
    if (isOver) return;
    isOver = true;
    clearInterval(watch);
    source.remove();
    drop();
    show('over', '');
  }

  async function poll() {
    if (isPolling || isOver) return;
    isPolling = true;
    polledAt = performance.now();
    try {
      const response = await fetch(source.dataset.poll, {
        cache: 'no-store',
        signal: AbortSignal.timeout(4000),
      });
      // An operator has been signed out; after a reload the page asks to log in.
      if (response.status === 401) location.reload();
      if (!response.ok) return;
      const text = await response.text();
      if (isOpen || isOver) return;
      await swap(text);
      showTime();
      changed();
      if (connection === undefined || performance.now() - triedAt > connectMsMax) reconnect();
    } catch {
      // No network; the next poll tries again.
    } finally {
      isPolling = false;
    }
  }

  /** Replaces fragments, except those that are older than the shown ones. */
  async function swap(text) {
    for (const fresh of new DOMParser().parseFromString(text, 'text/html').body.children) {
      const shown = document.getElementById(fresh.id);
      if (!shown || Number(fresh.dataset.now) < Number(shown.dataset.now)) continue;
      await window.htmx.swap({
        sourceElement: source,
        target: shown,
        swap: 'outerMorph',
        text: fresh.outerHTML,
      });
    }
  }

  function heard() {
    heardAt = performance.now();
    show('live', said.live);
    showTime();
  }

  function show(state, label) {
    if (!chip || chip.dataset.state === state) return;
    chip.dataset.state = state;
    chip.querySelector('.live-label').textContent = label;
  }

  function showTime() {
    if (!chip) return;
    const { clock, fill } = window.ticketPage;
    const time = clock.format(window.ticketLive.now());
    chip.querySelector('.live-time').textContent = fill(said.asOf, { time });
  }

  function changed() {
    document.dispatchEvent(new CustomEvent('live:change'));
  }
})();

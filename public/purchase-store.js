/*
 * The purchases of this browser that have no answer, newest first: `{ action, fields, tries, triedAt }`, where `fields` are
 * those of the form. They are kept before they are sent, for a day at most, and forgotten with their answer.
 */
(() => {
  const storeName = 'open-orders';
  const openMax = 5;
  const keptMs = 24 * 60 * 60 * 1000;
  /** Used instead of the storage once that has failed: it may be full, or forbidden. */
  let inMemory = [];
  let storageFails = false;

  function openOrders() {
    if (storageFails) return inMemory;
    try {
      const orders = JSON.parse(localStorage.getItem(storeName) ?? '[]');
      return orders.filter(({ triedAt }) => Date.now() - triedAt < keptMs);
    } catch {
      return inMemory;
    }
  }

  function keep(orders) {
    inMemory = orders;
    try {
      if (orders.length === 0) localStorage.removeItem(storeName);
      else localStorage.setItem(storeName, JSON.stringify(orders));
    } catch {
      storageFails = true;
    }
    tellServer(orders);
  }

  /** Where the server is to look when a page is loaded; `0`: nowhere, because this script looks after it. */
  function tellServer(orders) {
    const where = orders.map(({ fields }) => fields.packageId).join('.') || '0';
    const secure = location.protocol === 'https:' ? '; secure' : '';
    // biome-ignore lint/suspicious/noDocumentCookie: the Cookie Store API needs https, and two browsers lack it.
    document.cookie = `sent=${where}; path=/; max-age=86400; samesite=lax${secure}`;
  }

  const isSame = (a, b) => a.fields.key === b.fields.key && a.fields.packageId === b.fields.packageId;

  function remember(order) {
    keep([order, ...openOrders().filter((other) => !isSame(other, order))].slice(0, openMax));
  }

  function forget(order) {
    keep(openOrders().filter((other) => !isSame(other, order)));
  }

  /** Removes what is older than a day, email and all, and tells the server where to look. */
  function refresh() {
    keep(openOrders());
  }

  window.ticketOrders = { openOrders, isSame, remember, forget, refresh };
})();

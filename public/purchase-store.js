/*
 * Stores this browser's unanswered purchases, newest first: `{ action, fields, tries, triedAt }`, where `fields` are the
 * form's. A purchase is stored before it is sent, for at most a day, and removed when it is answered.
 */
(() => {
  const storeName = 'open-orders';
  const openMax = 5;
  const maxAgeMs = 24 * 60 * 60 * 1000;
  /** Used after localStorage has failed, because it is full or forbidden. */
  let inMemory = [];
  let storageFails = false;

  function openOrders() {
    if (storageFails) return inMemory;
    try {
      const orders = JSON.parse(localStorage.getItem(storeName) ?? '[]');
      return orders.filter(({ triedAt }) => Date.now() - triedAt < maxAgeMs);
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

  /** Sets the cookie that names the packages that the server should search at a page load; `0`: none. */
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

  /** Removes purchases older than a day, with their emails, and updates the cookie. */
  function refresh() {
    keep(openOrders());
  }

  window.ticketOrders = { openOrders, isSame, remember, forget, refresh };
})();

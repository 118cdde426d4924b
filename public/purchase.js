/*
 * Sends purchases and repeats each until it is answered. A purchase is stored before it is sent, so it survives a broken
 * connection, a closed tab or a killed browser: it is sent again with the same key, which counts once, and a customer who
 * comes back later sees its outcome. Without this script the browser sends the form itself.
 */
(() => {
  const { announce, ready } = window.ticketPage;
  const { openOrders, isSame, remember, forget, refresh } = window.ticketOrders;
  const { show, hide, texts, waitMsMax } = window.ticketDialog;
  const { begin, pause, backOffMs, post, submitPlainly, stop } = window.ticketRequest;
  const said = window.ticketTexts.purchase;
  /** A purchase that has reached the server is stored or has failed after this time. */
  const storedMsMax = 10_000;
  const waitsMax = 20;
  const serverErrorsMax = 3;

  /* Sending */

  document.addEventListener('submit', (event) => {
    const form = event.target;
    const { key, packageId, email } = form.elements;
    if (event.defaultPrevented || !key || !packageId || !email) return;
    event.preventDefault();
    const fields = Object.fromEntries(new FormData(form));
    const order = { action: form.getAttribute('action'), fields, tries: 0, triedAt: Date.now() };
    // An unanswered purchase of the same trip with the same email is the same order, so its key is used again.
    const former = openOrders().find((other) => isSamePurchase(other.fields, fields));
    if (former) {
      key.value = former.fields.key;
      fields.key = former.fields.key;
      order.tries = former.tries;
    }
    void send(order, form);
  });

  const isOpen = (order) => openOrders().some((other) => isSame(other, order));

  function isSamePurchase(a, b) {
    return a.packageId === b.packageId && plain(a.email) === plain(b.email);
  }

  const plain = (email) => email.trim().toLowerCase();

  async function send(order, form) {
    const task = begin();
    let failures = 0;
    let waits = 0;
    let isForced = false;
    remember(order);
    const tryNow = () => {
      isForced = true;
      task.wake();
    };
    for (;;) {
      // Another tab has the answer, or the customer gave the purchase up there.
      if (!isOpen(order)) {
        if (form) ready(form);
        return order.tries > 0 && finds ? look(order) : close(form);
      }
      if (!navigator.onLine && !isForced) {
        // No request is running, so the button is enabled again. The dialog prevents a second submit.
        if (form) ready(form);
        show(texts.offline(), { label: said.tryNow, act: tryNow }, stopping(order, form));
        await pause(task, Number.POSITIVE_INFINITY, { wakesOnline: true });
        if (task.isOver) return;
        if (navigator.onLine || isForced) show(texts.sending(), stopping(order, form));
        continue;
      }
      isForced = false;
      order.tries += 1;
      order.triedAt = Date.now();
      order.isTurnedAway = false;
      remember(order);
      const answer = await post(task, order.action, order.fields);
      if (task.isOver) return;
      if (answer?.address) return goTo(answer.address, order);
      // The store may have failed after it stored the order.
      if (answer?.status === 503) order.mayHaveArrived = true;
      if (answer === undefined || (answer.status === 500 && failures < serverErrorsMax)) {
        failures += 1;
        order.mayHaveArrived = true;
        if (!navigator.onLine) continue;
        show(texts.unanswered(), stopping(order, form));
        await pause(task, backOffMs(failures), { wakesOnline: true });
      } else if (mayWait(answer) && ++waits <= waitsMax) {
        order.isTurnedAway = !order.mayHaveArrived;
        show(texts.busy(answer), stopping(order, form));
        await pause(task, answer.retryMs);
      } else {
        return refused(answer, order, form);
      }
      if (task.isOver) return;
    }
  }

  function mayWait({ status, retryMs }) {
    return (status === 429 || status === 503) && retryMs > 0 && retryMs <= waitMsMax;
  }

  function goTo(address, order) {
    forget(order);
    location.assign(address);
  }

  /** Handles a final answer without an order: the form with errors, a confirmation, or an error page. */
  async function refused(answer, order, form) {
    const isTurnedAway = answer.status === 429 || answer.status === 503;
    // This attempt was refused, but an earlier one may have been stored.
    if (isTurnedAway && order.mayHaveArrived) {
      if (form) ready(form);
      return finds ? look(order) : showRefusal(answer, order, form);
    }
    forget(order);
    if (isTurnedAway) return showRefusal(answer, order, form);
    hide();
    const isShown = await showForm(answer.page);
    if (isShown) return;
    // The answer is another page or in another language. The browser loads it by sending the form again, which counts once.
    submitPlainly(order);
  }

  /** Replaces the shown form with the one in the answer, and keeps the live connection. */
  async function showForm(page) {
    const main = document.getElementById('main');
    const fresh = page?.getElementById('main');
    if (!document.getElementById('order-form') || !page?.getElementById('order-form')) return false;
    // The rest of this page and its live updates would stay in their language.
    if (page.documentElement.lang !== document.documentElement.lang) return false;
    const chip = document.getElementById('live-chip');
    if (chip) page.getElementById('live-chip')?.replaceWith(chip.cloneNode(true));
    document.title = page.title;
    const text = fresh.outerHTML;
    await window.htmx.swap({ sourceElement: main, target: main, swap: 'outerMorph', text });
    for (const form of document.forms) ready(form);
    document.dispatchEvent(new CustomEvent('live:change'));
    document.querySelector('#main [autofocus]')?.focus();
    return true;
  }

  /* Searching for purchases that were sent before this page was loaded */

  const finds = document.getElementById('order-form')
    ? (address) => location.assign(address)
    : document.querySelector('form[action="/query"]')
      ? () => location.reload()
      : undefined;

  async function look(order) {
    const task = begin();
    const isQuiet = finds === undefined;
    if (order.tries === 0) return isQuiet || showMissing(order);
    for (let failures = 0; ; ) {
      if (!isQuiet) show(texts.looking(), { label: said.close, act: () => close() });
      const { packageId, email, key } = order.fields;
      const answer = await post(task, '/order/sent', { packageId, email, key });
      if (task.isOver) return;
      if (answer?.address) {
        forget(order);
        return finds?.(answer.address);
      }
      const latest = openOrders().find((other) => isSame(other, order));
      if ((latest === undefined && answer !== undefined) || answer?.status === 422) {
        forget(order);
        return hide();
      }
      if (answer?.status === 404 && Math.abs(Date.now() - latest.triedAt) > storedMsMax) {
        return isQuiet || showMissing(order);
      }
      const isAnswered = answer !== undefined;
      failures = isAnswered ? 0 : failures + 1;
      const ms = isAnswered ? (answer.retryMs ?? 1000) : backOffMs(failures);
      await pause(task, ms, { wakesOnline: !isAnswered });
      if (task.isOver) return;
    }
  }

  function lookAgain() {
    refresh();
    const [order] = openOrders();
    if (order) void look(order);
  }

  /* The actions of the dialog */

  function showRefusal(answer, order, form) {
    show(texts.refused(answer, order), { label: said.close, act: () => close(form) });
  }

  function showMissing(order) {
    const sendNow = () => {
      show(texts.sending(), stopping(order));
      void send(order);
    };
    show(
      texts.missing(order),
      { label: order.tries === 0 ? said.sendNow : said.sendAgain, isMain: true, act: sendNow },
      { label: said.doNotSend, act: () => dropped(order) },
    );
  }

  /** The button that stops. It drops a purchase that cannot have arrived, and searches for one that may have. */
  function stopping(order, form) {
    if (order.tries === 0) return { label: said.doNotSend, act: () => dropped(order, form) };
    return {
      label: said.stopTrying,
      act: () => {
        if (order.isTurnedAway) return dropped(order, form, said.notTaken);
        if (form) ready(form);
        if (finds) void look(order);
        else close(form);
      },
    };
  }

  function dropped(order, form, words = said.notSent) {
    forget(order);
    close(form);
    announce(words);
  }

  function close(form) {
    stop();
    hide();
    for (const each of form ? [form] : document.forms) ready(each);
  }

  // When the customer leaves the page, the aborted request must not count as a lost answer.
  window.addEventListener('pagehide', () => stop());
  window.addEventListener('pageshow', (event) => {
    if (!event.persisted) return;
    close();
    lookAgain();
  });
  lookAgain();
})();

/*
 * Sends purchases, and sees each through until its answer is known. What is bought is remembered before it is sent, so
 * that a broken connection, a closed tab or a killed browser loses nothing: a purchase is repeated under its key, which
 * counts once, and a customer who comes back is shown its outcome. Without this script the form is sent as it is.
 */
(() => {
  const { announce, ready } = window.ticketPage;
  const { openOrders, isSame, remember, forget, refresh } = window.ticketOrders;
  const { show, hide } = window.ticketDialog;
  /** `POST /order` waits 10 s for its outcome. */
  const answerMsMax = 20_000;
  /** What has reached the server is stored, or given up, within this time. */
  const storedMsMax = 10_000;
  const pausesMs = [1000, 2000, 4000, 8000, 15_000];
  /** Longer waits than this (in ms) are shown to the customer; shorter ones the script waits out. */
  const waitMsMax = 60_000;
  const waitsMax = 20;
  const serverErrorsMax = 3;

  /* A page handles one purchase at a time. A new purchase stops the former task, such as a search for an order. */

  let turn;

  function begin() {
    turn?.stop();
    const mine = { isOver: false, wake() {}, request: undefined, wakesOnline: false };
    mine.stop = () => {
      mine.isOver = true;
      mine.request?.abort();
      mine.wake();
    };
    turn = mine;
    return mine;
  }

  /** Resolves after `ms`, or earlier when `wake` is called; with `wakesOnline`, also when the network is back. */
  function pause(mine, ms, { wakesOnline = false } = {}) {
    return new Promise((resolve) => {
      const timer = ms < Number.POSITIVE_INFINITY ? setTimeout(resolve, ms) : undefined;
      mine.wakesOnline = wakesOnline;
      mine.wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  window.addEventListener('online', () => {
    if (turn?.wakesOnline) turn.wake();
  });

  /** With jitter, so that not all browsers try at once when a server comes back. */
  function backOffMs(failures) {
    return pausesMs[Math.min(failures, pausesMs.length) - 1] * (0.75 + Math.random() / 2);
  }

  /** Our server's answer; undefined when none came, or a proxy answered: then the outcome is unknown. */
  async function post(mine, action, fields) {
    const request = new AbortController();
    mine.request = request;
    const timer = setTimeout(() => request.abort(), answerMsMax);
    try {
      const response = await fetch(action, {
        method: 'POST',
        body: new URLSearchParams(fields),
        headers: { Accept: 'text/html', Prefer: 'return=minimal' },
        redirect: 'error',
        cache: 'no-store',
        signal: request.signal,
      });
      const { status, headers } = response;
      const address = status === 200 ? headers.get('Location') : null;
      const isOurs = address?.startsWith('/orders/') || status === 202 || status >= 400;
      const isTransient = [408, 425, 502, 504].includes(status);
      if (!isOurs || isTransient) return undefined;
      const retryMs = 1000 * Number(headers.get('Retry-After')) || undefined;
      const page = status < 400 ? undefined : readPage(await response.text());
      return { status, address, retryMs, page };
    } catch {
      return undefined;
    } finally {
      clearTimeout(timer);
    }
  }

  const readPage = (text) => new DOMParser().parseFromString(text, 'text/html');

  /* Sending */

  document.addEventListener('submit', (event) => {
    const form = event.target;
    const { key, packageId, email } = form.elements;
    if (event.defaultPrevented || !key || !packageId || !email) return;
    event.preventDefault();
    const fields = Object.fromEntries(new FormData(form));
    const order = { action: form.getAttribute('action'), fields, tries: 0, triedAt: Date.now() };
    // The same trip and email, while the first has no answer, are the same order: it keeps its key.
    const former = openOrders().find((other) => sameWish(other.fields, fields));
    if (former) {
      key.value = former.fields.key;
      fields.key = former.fields.key;
      order.tries = former.tries;
    }
    void send(order, form);
  });

  const isOpen = (order) => openOrders().some((other) => isSame(other, order));

  function sameWish(a, b) {
    return a.packageId === b.packageId && plain(a.email) === plain(b.email);
  }

  const plain = (email) => email.trim().toLowerCase();

  async function send(order, form) {
    const mine = begin();
    let failures = 0;
    let waits = 0;
    let isForced = false;
    remember(order);
    const tryNow = () => {
      isForced = true;
      mine.wake();
    };
    for (;;) {
      // Another tab has its answer, or gave it up.
      if (!isOpen(order)) {
        if (form) ready(form);
        return order.tries > 0 && finds ? look(order) : close(form);
      }
      if (!navigator.onLine && !isForced) {
        // Nothing is under way, so the button is ready again; the dialog above keeps the form from being sent twice.
        if (form) ready(form);
        show(offline(order, tryNow, form));
        await pause(mine, Number.POSITIVE_INFINITY, { wakesOnline: true });
        if (mine.isOver) return;
        if (navigator.onLine || isForced) show(sending(order, form));
        continue;
      }
      isForced = false;
      order.tries += 1;
      order.triedAt = Date.now();
      order.isTurnedAway = false;
      remember(order);
      const answer = await post(mine, order.action, order.fields);
      if (mine.isOver) return;
      if (answer?.address) return goTo(answer.address, order);
      // The store may have failed after it stored the order.
      if (answer?.status === 503) order.mayHaveArrived = true;
      if (answer === undefined || (answer.status === 500 && failures < serverErrorsMax)) {
        failures += 1;
        order.mayHaveArrived = true;
        if (!navigator.onLine) continue;
        show(unanswered(order, form));
        await pause(mine, backOffMs(failures), { wakesOnline: true });
      } else if (mayWait(answer) && ++waits <= waitsMax) {
        order.isTurnedAway = !order.mayHaveArrived;
        show(busy(answer, order, form));
        await pause(mine, answer.retryMs);
      } else {
        return refused(answer, order, form);
      }
      if (mine.isOver) return;
    }
  }

  function mayWait({ status, retryMs }) {
    return (status === 429 || status === 503) && retryMs > 0 && retryMs <= waitMsMax;
  }

  function goTo(address, order) {
    forget(order);
    location.assign(address);
  }

  /** A definite answer: the form again with what is wrong, a question, or a problem in words. */
  async function refused(answer, order, form) {
    const isTurnedAway = answer.status === 429 || answer.status === 503;
    // A limit refuses this try, but an earlier one may have been stored.
    if (isTurnedAway && order.mayHaveArrived) {
      if (form) ready(form);
      return finds ? look(order) : show(later(answer, order, form));
    }
    forget(order);
    if (isTurnedAway) return show(later(answer, order, form));
    hide();
    const isShown = await showForm(answer.page);
    if (isShown) return;
    // The answer is another page than the form. The browser loads it by sending again: with the same key it counts once.
    submitPlainly(order);
  }

  function submitPlainly({ action, fields }) {
    const form = document.createElement('form');
    form.method = 'post';
    form.action = action;
    for (const [name, value] of Object.entries(fields)) {
      const field = document.createElement('input');
      field.type = 'hidden';
      field.name = name;
      field.value = value;
      form.append(field);
    }
    document.body.append(form);
    form.submit();
  }

  /** Puts the answer's form in place of the one that is shown, without losing the live connection. */
  async function showForm(page) {
    const main = document.getElementById('main');
    const fresh = page?.getElementById('main');
    if (!document.getElementById('order-form') || !page?.getElementById('order-form')) return false;
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

  /* Looking for what was sent before this page was loaded */

  const finds = document.getElementById('order-form')
    ? (address) => location.assign(address)
    : document.querySelector('form[action="/query"]')
      ? () => location.reload()
      : undefined;

  async function look(order) {
    const mine = begin();
    const isQuiet = finds === undefined;
    if (order.tries === 0) return isQuiet || show(missing(order));
    for (let failures = 0; ; ) {
      if (!isQuiet) show(looking());
      const { packageId, email, key } = order.fields;
      const answer = await post(mine, '/order/sent', { packageId, email, key });
      if (mine.isOver) return;
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
        return isQuiet || show(missing(order));
      }
      const isAnswered = answer !== undefined;
      failures = isAnswered ? 0 : failures + 1;
      const ms = isAnswered ? (answer.retryMs ?? 1000) : backOffMs(failures);
      await pause(mine, ms, { wakesOnline: !isAnswered });
      if (mine.isOver) return;
    }
  }

  function lookAgain() {
    refresh();
    const [order] = openOrders();
    if (order) void look(order);
  }

  /* Texts of the dialog. Those of a problem come from the server's page. */

  const once = 'Your order counts once, however often it is sent.';

  function offline(order, tryNow, form) {
    return {
      title: 'You are offline',
      text: 'Your order will be sent when the connection is back.',
      actions: [{ label: 'Try now', act: tryNow }, stopping(order, form)],
    };
  }

  function sending(order, form) {
    return { title: 'Sending your order…', text: once, actions: [stopping(order, form)] };
  }

  function unanswered(order, form) {
    return {
      title: 'No answer yet',
      text: `We cannot reach the shop at the moment. We keep trying. ${once}`,
      actions: [stopping(order, form)],
    };
  }

  function busy({ page, retryMs }, order, form) {
    const seconds = Math.ceil(retryMs / 1000);
    return {
      title: 'Please wait',
      text: `${causeIn(page)} We will send your order again in ${seconds === 1 ? '1 second' : `${seconds} seconds`}.`,
      actions: [stopping(order, form)],
    };
  }

  function later({ page, retryMs }, { mayHaveArrived }, form) {
    const minutes = Math.ceil(retryMs / 60_000);
    const words =
      retryMs > waitMsMax ? `${causeIn(page)} You can order again in ${minutes} minutes.` : wordsIn(page);
    return {
      title: mayHaveArrived ? 'No answer yet' : 'Your order was not taken',
      text: `${words} ${mayHaveArrived ? 'Look under My orders whether your order arrived.' : 'Nothing was booked.'}`,
      actions: [{ label: 'Close', act: () => close(form) }],
    };
  }

  function looking() {
    return {
      title: 'Looking for your order…',
      text: navigator.onLine
        ? 'You sent an order, and its answer did not arrive.'
        : 'You are offline. We look for it when the connection is back.',
      actions: [{ label: 'Close', act: () => close() }],
    };
  }

  function missing(order) {
    const isUnsent = order.tries === 0;
    return {
      title: isUnsent ? 'Your order was not sent' : 'Your order has not reached us',
      text: `${tripOf(order)}Nothing was booked. You can send it ${isUnsent ? 'now' : `again. ${once}`}`,
      actions: [
        {
          label: isUnsent ? 'Send it now' : 'Send it again',
          isMain: true,
          act: () => {
            show(sending(order));
            void send(order);
          },
        },
        { label: 'Do not send it', act: () => dropped(order) },
      ],
    };
  }

  /** Which order it is about, where the page knows the trip. */
  function tripOf({ fields }) {
    const { choice } = document.getElementById(`package-${fields.packageId}`)?.dataset ?? {};
    return choice ? `${choice}, for ${fields.email}. ` : '';
  }

  /** What has not been sent, or was turned away, is given up; what may have arrived is looked for. */
  function stopping(order, form) {
    if (order.tries === 0) return { label: 'Do not send it', act: () => dropped(order, form) };
    return {
      label: 'Stop trying',
      act: () => {
        if (order.isTurnedAway) return dropped(order, form, 'Your order was not taken. Nothing was booked.');
        if (form) ready(form);
        if (finds) void look(order);
        else close(form);
      },
    };
  }

  function dropped(order, form, words = 'Your order was not sent.') {
    forget(order);
    close(form);
    announce(words);
  }

  function wordsIn(page) {
    return page?.querySelector('#alert p, .verdict-text')?.textContent ?? '';
  }

  /** The first sentence of a problem: the others say what to do, which is done here or said otherwise. */
  function causeIn(page) {
    return wordsIn(page).split(/(?<=\.) /)[0];
  }

  function close(form) {
    turn?.stop();
    hide();
    for (const each of form ? [form] : document.forms) ready(each);
  }

  // A request that is cut because the customer leaves the page is no lost answer.
  window.addEventListener('pagehide', () => turn?.stop());
  window.addEventListener('pageshow', (event) => {
    if (!event.persisted) return;
    close();
    lookAgain();
  });
  lookAgain();
})();

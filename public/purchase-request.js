/*
 * The requests of purchase.js, and the pauses between them. A page handles one purchase at a time: a new task stops the
 * former one, such as a search for an order.
 */
(() => {
  /** `POST /order` waits 10 s for its outcome. */
  const answerMsMax = 20_000;
  const pausesMs = [1000, 2000, 4000, 8000, 15_000];

  let current;

  function begin() {
    current?.stop();
    const task = { isOver: false, wake() {}, request: undefined, wakesOnline: false };
    task.stop = () => {
      task.isOver = true;
      task.request?.abort();
      task.wake();
    };
    current = task;
    return task;
  }

  /** Resolves after `ms`, or earlier when `wake` is called; with `wakesOnline`, also when the network is back. */
  function pause(task, ms, { wakesOnline = false } = {}) {
    return new Promise((resolve) => {
      const timer = ms < Number.POSITIVE_INFINITY ? setTimeout(resolve, ms) : undefined;
      task.wakesOnline = wakesOnline;
      task.wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  window.addEventListener('online', () => {
    if (current?.wakesOnline) current.wake();
  });

  /** With jitter, so that not all browsers retry at once when a server comes back. */
  function backOffMs(failures) {
    return pausesMs[Math.min(failures, pausesMs.length) - 1] * (0.75 + Math.random() / 2);
  }

  /** Our server's answer. Undefined without an answer, or when a proxy answered: then the outcome is unknown. */
  async function post(task, action, fields) {
    const request = new AbortController();
    task.request = request;
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

  /** Sends a form as the browser would without scripts, which loads the answer as a page. */
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

  window.ticketRequest = { begin, pause, backOffMs, post, submitPlainly, stop: () => current?.stop() };
})();

/* On every page: busy buttons, copy buttons, times in the reader's zone, announcements to screen readers. */
(() => {
  const { locale } = window.ticketTexts;
  const said = window.ticketTexts.page;

  /** A text with its values: a name in braces stands for the value with this name. */
  const fill = (text, values) => text.replace(/\{(\w+)\}/g, (_, name) => values[name]);

  /** Announces a text to screen readers, politely or at once. */
  function announce(text, { atOnce = false } = {}) {
    const region = document.getElementById(atOnce ? 'announce-now' : 'announce-politely');
    region.textContent = '';
    setTimeout(() => {
      region.textContent = text;
    }, 50);
  }

  /** Operators' pages show times in one zone, with its name. */
  const { timeZone } = document.documentElement.dataset;
  const clock = new Intl.DateTimeFormat(locale, {
    timeStyle: timeZone ? 'long' : 'medium',
    hourCycle: 'h23',
    timeZone,
  });
  const moment = new Intl.DateTimeFormat(locale, {
    dateStyle: 'medium',
    timeStyle: 'short',
    hourCycle: 'h23',
    timeZone,
  });

  /** Converts the server's UTC times to the reader's zone. */
  function localTimes() {
    if (timeZone) return;
    for (const time of document.querySelectorAll('time.clock, time.moment')) {
      const format = time.classList.contains('clock') ? clock : moment;
      time.textContent = format.format(new Date(time.dateTime));
    }
  }

  /** `0:42`, `1:02:03` or, in English, `2 d 03:04:05`. */
  function countdown(ms) {
    const seconds = Math.max(0, Math.ceil(ms / 1000));
    const two = (figure) => String(figure).padStart(2, '0');
    const [d, h, m, s] = [seconds / 86_400, (seconds / 3600) % 24, (seconds / 60) % 60, seconds % 60].map(
      Math.floor,
    );
    if (d > 0) return fill(said.days, { days: d, time: `${two(h)}:${two(m)}:${two(s)}` });
    return h > 0 ? `${h}:${two(m)}:${two(s)}` : `${m}:${two(s)}`;
  }

  /** Storage of this tab. Does nothing in browsers that forbid it, for example together with cookies. */
  const tabStorage = {
    read(name) {
      try {
        return JSON.parse(sessionStorage.getItem(name) ?? '{}');
      } catch {
        return {};
      }
    },
    write(name, value) {
      try {
        if (value === undefined) sessionStorage.removeItem(name);
        else sessionStorage.setItem(name, JSON.stringify(value));
      } catch {}
    },
  };

  window.ticketPage = { announce, countdown, fill, localTimes, clock, moment, tabStorage, ready };
  localTimes();

  /*
   * A form is sent once: its button shows the progress, keeps its width, and ignores a second press. Without an answer,
   * for example without a network, it can be pressed again: the form's key is the same, so it counts once.
   */
  const answerMsMax = 20_000;
  let answerTimer;

  document.addEventListener('submit', (event) => {
    const form = event.target;
    // Asking twice is harmless, and a download leaves the page as it is.
    if (form.method === 'get') return;
    const button = event.submitter ?? form.querySelector('[type=submit]');
    if (form.dataset.sent || button?.getAttribute('aria-disabled') === 'true') {
      event.preventDefault();
      return;
    }
    form.dataset.sent = 'yes';
    if (!button?.dataset.busy) return;
    setBusy(button);
    clearTimeout(answerTimer);
    answerTimer = setTimeout(() => {
      // If prevented, purchase.js sends this form and handles a missing answer.
      if (!event.defaultPrevented) offerAgain(form, button);
    }, answerMsMax);
  });

  function offerAgain(form, button) {
    if (!button.hasAttribute('aria-busy')) return;
    delete form.dataset.sent;
    button.removeAttribute('aria-disabled');
    labelOf(button).textContent = said.askAgain;
    announce(said.mayAskAgain, { atOnce: true });
  }

  function labelOf(button) {
    return button.querySelector('.button-label') ?? button;
  }

  function setBusy(button) {
    const label = labelOf(button);
    button.style.width = `${button.offsetWidth}px`;
    button.dataset.label ??= label.textContent;
    button.setAttribute('aria-disabled', 'true');
    button.setAttribute('aria-busy', 'true');
    label.textContent = button.dataset.busy;
    announce(button.dataset.busy);
  }

  // The page is shown again from the back/forward cache.
  window.addEventListener('pageshow', (event) => {
    if (!event.persisted) return;
    for (const form of document.forms) ready(form);
  });

  /** Resets a form and its buttons, so that it can be sent again. */
  function ready(form) {
    delete form.dataset.sent;
    for (const button of document.querySelectorAll('[aria-busy]')) {
      if (button.form !== form) continue;
      if (button.dataset.label) labelOf(button).textContent = button.dataset.label;
      delete button.dataset.label;
      button.removeAttribute('aria-busy');
      button.removeAttribute('aria-disabled');
      button.style.width = '';
    }
  }

  /* The print button, and the "Keep it" buttons, which close a confirmation without loading the page again. */

  document.addEventListener('click', (event) => {
    if (event.target.closest?.('[data-print]')) window.print();
    const confirm = event.target.closest?.('[data-keep]')?.closest('details');
    if (!confirm) return;
    event.preventDefault();
    confirm.open = false;
    confirm.querySelector('summary').focus();
  });

  /* Copy buttons */

  document.addEventListener('click', async (event) => {
    const button = event.target.closest?.('[data-copy], [data-copy-link]');
    if (!button) return;
    const { copy, copyLink } = button.dataset;
    const isCopied = await writeClipboard(copy ?? new URL(copyLink, location.href).href);
    button.dataset.said ??= button.textContent;
    button.style.minWidth = `${button.offsetWidth}px`;
    button.textContent = isCopied ? said.copied : said.notCopied;
    announce(isCopied ? said.copied : said.couldNotCopy);
    setTimeout(() => {
      button.textContent = button.dataset.said;
    }, 2000);
  });

  async function writeClipboard(text) {
    try {
      await navigator.clipboard.writeText(text);
      return true;
    } catch {
      return writeClipboardTheOldWay(text);
    }
  }

  /** Without https there is no clipboard API. */
  function writeClipboardTheOldWay(text) {
    const focused = document.activeElement;
    const area = document.createElement('textarea');
    area.className = 'unseen';
    area.value = text;
    document.body.append(area);
    area.select();
    const isCopied = document.execCommand('copy');
    area.remove();
    focused?.focus();
    return isCopied;
  }
})();

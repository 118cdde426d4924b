/* The dialog about an unanswered purchase, and its texts. It is modal, so nothing moves, and screen readers read it. */
(() => {
  let dialog;
  let isWanted = false;

  function show({ title, text }, ...actions) {
    dialog ??= createDialog();
    isWanted = true;
    const [heading, words] = dialog.querySelectorAll('h2, p');
    // An unchanged text is not announced again, and leaves the focus where it is.
    if (dialog.open && heading.textContent === title && words.textContent === text) return;
    heading.textContent = title;
    words.textContent = text;
    dialog.querySelector('.actions').replaceChildren(...actions.map(toButton));
    if (!dialog.open) dialog.showModal();
    heading.focus();
  }

  function toButton({ label, act, isMain = false }) {
    const button = document.createElement('button');
    button.type = 'button';
    button.className = isMain ? 'button primary' : 'button quiet';
    button.textContent = label;
    button.addEventListener('click', act);
    return button;
  }

  function createDialog() {
    const made = document.createElement('dialog');
    made.className = 'purchase';
    made.setAttribute('aria-labelledby', 'purchase-title');
    made.setAttribute('aria-describedby', 'purchase-text');
    made.innerHTML =
      '<div role="status"><h2 id="purchase-title" tabindex="-1"></h2><p id="purchase-text"></p></div><div class="actions"></div>';
    // Only the buttons may close the dialog. Browsers close it at the second Escape in a row, so it is opened again.
    made.addEventListener('cancel', (event) => event.preventDefault());
    made.addEventListener('close', () => {
      if (isWanted && !made.open) made.showModal();
    });
    document.body.append(made);
    return made;
  }

  function hide() {
    isWanted = false;
    dialog?.close();
  }

  /* Texts of the dialog. The text of an error comes from the server's page. */

  const { fill } = window.ticketPage;
  const { locale } = window.ticketTexts;
  const said = window.ticketTexts.dialog;
  /** Waits for a retry up to this many ms happen automatically; longer ones are shown to the customer. */
  const waitMsMax = 60_000;

  const texts = {
    offline: () => ({ title: said.offline, text: said.offlineText }),
    sending: () => ({ title: said.sending, text: said.countsOnce }),
    unanswered: () => ({ title: said.noAnswer, text: `${said.noAnswerText} ${said.countsOnce}` }),
    busy({ page, retryMs }) {
      const wait = inUnit(Math.ceil(retryMs / 1000), 'second');
      return {
        title: said.wait,
        text: `${firstSentence(errorIn(page))} ${fill(said.sentAgainIn, { wait })}`,
      };
    },
    refused({ page, retryMs }, { mayHaveArrived }) {
      const error = errorIn(page);
      const wait = inUnit(Math.ceil(retryMs / 60_000), 'minute');
      const words =
        retryMs > waitMsMax ? `${firstSentence(error)} ${fill(said.orderAgainIn, { wait })}` : error;
      return {
        title: mayHaveArrived ? said.noAnswer : said.notTaken,
        text: `${words} ${mayHaveArrived ? said.mayHaveArrived : said.nothingBooked}`,
      };
    },
    looking: () => ({
      title: said.looking,
      text: navigator.onLine ? said.lookingText : said.lookingOffline,
    }),
    missing(order) {
      const isUnsent = order.tries === 0;
      const advice = isUnsent ? said.sendNow : `${said.sendAgain} ${said.countsOnce}`;
      return {
        title: isUnsent ? said.notSent : said.notArrived,
        text: `${tripOf(order)}${said.nothingBooked} ${advice}`,
      };
    },
  };

  /** A time in words, such as `1 second` or `7 minutes`. */
  function inUnit(count, unit) {
    return new Intl.NumberFormat(locale, { style: 'unit', unit, unitDisplay: 'long' }).format(count);
  }

  /** The trip and email of an order, if the page knows the trip. */
  function tripOf({ fields }) {
    const { choice } = document.getElementById(`package-${fields.packageId}`)?.dataset ?? {};
    return choice ? `${fill(said.trip, { trip: choice, email: fields.email })} ` : '';
  }

  function errorIn(page) {
    return page?.querySelector('#alert p, .verdict-text')?.textContent ?? '';
  }

  /** The cause of an error. The further sentences give advice that does not apply in the dialog. */
  function firstSentence(words) {
    return words.split(/(?<=\.) /)[0];
  }

  window.ticketDialog = { show, hide, texts, waitMsMax };
})();

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

  /** Waits for a retry up to this many ms happen automatically; longer ones are shown to the customer. */
  const waitMsMax = 60_000;
  const once = 'Your order counts once, however often it is sent.';

  const texts = {
    offline: () => ({
      title: 'You are offline',
      text: 'Your order will be sent when the connection is back.',
    }),
    sending: () => ({ title: 'Sending your order…', text: once }),
    unanswered: () => ({
      title: 'No answer yet',
      text: `We cannot reach the shop at the moment. We keep trying. ${once}`,
    }),
    busy({ page, retryMs }) {
      const seconds = Math.ceil(retryMs / 1000);
      const wait = seconds === 1 ? '1 second' : `${seconds} seconds`;
      return {
        title: 'Please wait',
        text: `${firstSentence(errorIn(page))} We will send your order again in ${wait}.`,
      };
    },
    refused({ page, retryMs }, { mayHaveArrived }) {
      const error = errorIn(page);
      const minutes = Math.ceil(retryMs / 60_000);
      const words =
        retryMs > waitMsMax ? `${firstSentence(error)} You can order again in ${minutes} minutes.` : error;
      return {
        title: mayHaveArrived ? 'No answer yet' : 'Your order was not taken',
        text: `${words} ${mayHaveArrived ? 'Look under My orders whether your order arrived.' : 'Nothing was booked.'}`,
      };
    },
    looking: () => ({
      title: 'Looking for your order…',
      text: navigator.onLine
        ? 'You sent an order, and its answer did not arrive.'
        : 'You are offline. We look for it when the connection is back.',
    }),
    missing(order) {
      const isUnsent = order.tries === 0;
      return {
        title: isUnsent ? 'Your order was not sent' : 'Your order has not reached us',
        text: `${tripOf(order)}Nothing was booked. You can send it ${isUnsent ? 'now' : `again. ${once}`}`,
      };
    },
  };

  /** The trip and email of an order, if the page knows the trip. */
  function tripOf({ fields }) {
    const { choice } = document.getElementById(`package-${fields.packageId}`)?.dataset ?? {};
    return choice ? `${choice}, for ${fields.email}. ` : '';
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

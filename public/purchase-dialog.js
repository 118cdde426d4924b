/* The dialog about a purchase without an answer. It lies above the page, so nothing moves, and it is announced. */
(() => {
  let dialog;
  let isWanted = false;

  function show({ title, text, actions }) {
    dialog ??= createDialog();
    isWanted = true;
    const [heading, words] = dialog.querySelectorAll('h2, p');
    // The same text is not announced twice, and does not take the focus from a button.
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
    // Only a button says what becomes of the order. A browser lets nobody prevent the second Escape in a row.
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

  window.ticketDialog = { show, hide };
})();

/* The dialog about a purchase without an answer. It lies above the page, so nothing moves, and it is announced. */
(() => {
  let dialog;

  function show({ title, text, actions }) {
    dialog ??= createDialog();
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
    // Escape does not close it: each button decides something about the order.
    made.addEventListener('cancel', (event) => event.preventDefault());
    document.body.append(made);
    return made;
  }

  function hide() {
    dialog?.close();
  }

  window.ticketDialog = { show, hide };
})();

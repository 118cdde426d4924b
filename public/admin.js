/* The operators' pages: announces problems that appear or end to screen readers. */
(() => {
  const find = () => document.getElementById('admin-problems');
  const { announce } = window.ticketPage;
  let kinds = find()?.dataset.kinds;

  document.addEventListener('live:change', () => {
    const now = find()?.dataset;
    if (!now || now.kinds === kinds) return;
    kinds = now.kinds;
    announce(now.said);
  });
})();

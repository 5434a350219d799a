// A question opens over the page where it can; without this file its link leads to a page that asks the same.
"use strict";
document.addEventListener("click", async (event) => {
  const link = event.target.closest("a[data-asks], a[data-closes]");
  const dialog = document.getElementById("snd-dialog");
  if (!link || !dialog || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  if (link.hasAttribute("data-closes")) {
    dialog.close();
    return;
  }
  const answer = await fetch(link.href, { headers: { "X-Dialog": "1" } }).catch(() => null);
  // Not the question: it cannot be asked any more, and the page says why; or the login is over.
  if (!answer || !answer.ok || answer.redirected) {
    window.location.assign(link.href);
    return;
  }
  dialog.innerHTML = await answer.text();
  dialog.showModal();
});

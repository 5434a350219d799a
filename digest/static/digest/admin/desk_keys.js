/* The keys of the desk. Each presses a button that is there to be clicked as well. */
(() => {
  "use strict";
  const desk = document.getElementById("pb-desk");
  const help = document.getElementById("pb-keys");
  if (!desk || !help) return;
  const on = document.getElementById("pb-keys-on");
  const NAME = "paperboy-desk-keys";
  on.checked = localStorage.getItem(NAME) !== "off";
  on.addEventListener("change", () => localStorage.setItem(NAME, on.checked ? "on" : "off"));
  document.addEventListener("click", (event) => { if (event.target.closest("[data-keys]")) help.showModal(); });

  const rows = () => [...desk.querySelectorAll(".pb-row")];
  let last = "";
  desk.addEventListener("focusin", (event) => {
    const row = event.target.closest(".pb-row");
    if (row) last = row.id;
  });
  const current = () => {
    const at = document.activeElement && document.activeElement.closest(".pb-row");
    return at || (last && document.getElementById(last)) || null;
  };

  function step(by) {
    const all = rows();
    const at = all.indexOf(current());
    const next = all[at < 0 ? 0 : Math.min(Math.max(at + by, 0), all.length - 1)];
    if (!next) return;
    next.focus({ preventScroll: true });
    next.scrollIntoView({ block: "nearest" });
  }

  function withRow(deed) {
    const row = current();
    if (row) deed(row);
    else window.paperboyDesk.say("Choose a paper first, with j or k.");
  }

  function openNote(row) {
    const note = row.querySelector(".pb-noting");
    if (!note) return;
    note.open = true;
    const field = note.querySelector("input[name=note]");
    field.focus();
    field.setSelectionRange(field.value.length, field.value.length);
  }

  function leaveNote(field) {
    field.value = field.dataset.kept;
    field.closest("details").open = false;
    field.closest(".pb-row").focus();
  }

  const press = (key) => () => withRow((row) => window.paperboyDesk.press(row.id, key));
  const search = () => { const field = document.getElementById("pb-q"); if (field) { field.focus(); field.select(); } };
  const KEYS = {
    j: () => step(1), k: () => step(-1), p: press("p"), h: press("h"), n: () => withRow(openNote),
    "[": press("["), "]": press("]"), u: () => window.paperboyDesk.undo(), "/": search,
    "?": () => help.showModal(),
  };
  const ARROWS = { ArrowDown: () => step(1), ArrowUp: () => step(-1) };
  const ALT_ARROWS = { ArrowUp: press("["), ArrowDown: press("]") };

  function wanted(event) {
    const at = event.target;
    if (event.ctrlKey || event.metaKey || help.open) return null;
    if (at.closest("input, textarea, select, [contenteditable]")) return null;
    if (event.altKey) return at.closest(".pb-row") ? ALT_ARROWS[event.key] : null;
    if (at.closest(".pb-row") && ARROWS[event.key]) return ARROWS[event.key];
    return on.checked ? KEYS[event.key] : null;
  }

  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && event.target.matches("#pb-board input[name=note]")) {
      event.preventDefault();
      leaveNote(event.target);
      return;
    }
    const deed = wanted(event);
    if (!deed) return;
    event.preventDefault();
    event.stopPropagation();
    deed();
  }, true);
})();

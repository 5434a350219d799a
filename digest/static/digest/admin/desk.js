/* The desk of one edition: its forms are posted one after the other, and the board comes back as it is since.
   Without this file they are ordinary forms. Nothing typed is lost, and the focus stays where it was. */
(() => {
  "use strict";
  const desk = document.getElementById("pb-desk");
  if (!desk) return;
  const board = document.getElementById("pb-board");
  const voice = document.getElementById("pb-said");
  const lost = document.getElementById("pb-lost");
  desk.classList.add("pb-scripted");
  // Attributes of what comes back count at once: the next key may ask for them.
  htmx.config.attributesToSettle = [];
  htmx.config.scrollIntoViewOnBoost = false;
  let queue = Promise.resolve();

  const say = (text) => { voice.textContent = ""; voice.textContent = text; };
  const fail = (text) => { lost.textContent = text; lost.hidden = false; };

  // What is typed and not saved: by the field's id, with the revision its form was made of.
  function drafts(sent) {
    const found = new Map();
    for (const field of desk.querySelectorAll("[data-kept]")) {
      if (field.value !== field.dataset.kept && field !== sent) {
        found.set(field.id, { text: field.value, revision: field.form.elements.revision.value });
      }
    }
    return found;
  }

  function restore(found) {
    for (const [id, draft] of found) {
      const field = document.getElementById(id);
      if (!field || field.value === draft.text) continue;
      field.value = draft.text;
      field.form.elements.revision.value = draft.revision;
      const around = field.closest("details");
      if (around) around.open = true;
    }
  }

  function where() {
    const at = document.activeElement;
    const row = at && at.closest(".pb-row");
    const all = [...board.querySelectorAll(".pb-row")];
    return { inside: desk.contains(at), id: at && at.id, row: row && row.id, place: row ? all.indexOf(row) : -1 };
  }

  function focusAgain(was, wanted) {
    const all = [...board.querySelectorAll(".pb-row")];
    const found = [wanted, was.id, was.row].map((id) => id && document.getElementById(id))
      .find((one) => one && !one.disabled && one.getClientRects().length);
    const at = found || (was.place >= 0 ? all[Math.min(was.place, all.length - 1)] : null);
    if (!was.inside) return;
    if (at) {
      at.focus({ preventScroll: true });
      at.scrollIntoView({ block: "nearest" });
    } else {
      board.tabIndex = -1;
      board.focus();
    }
  }

  async function post(url, values, wanted, sent) {
    const typed = drafts(sent);
    // Where the focus is when the board is made anew, not when the key was pressed: fingers are quicker.
    let was = where();
    const look = (event) => { if (event.detail.target === board) was = where(); };
    document.addEventListener("htmx:beforeSwap", look);
    const open = [...desk.querySelectorAll("details.pb-panel[open]")].map((one) => one.id);
    const state = Object.fromEntries(new FormData(document.getElementById("pb-deeds")));
    lost.hidden = true;
    await htmx.ajax("POST", url, {
      target: "#pb-board", swap: "innerHTML settle:0ms show:none", values: { ...state, ...values },
    }).finally(() => document.removeEventListener("htmx:beforeSwap", look));
    for (const id of open) document.getElementById(id).open = true;
    if (lost.hidden) {
      restore(typed);
      // A form that is closed once it is saved gives the focus to its paper, if it still has it.
      focusAgain(was, sent && was.id === sent.id ? wanted : undefined);
    }
    refresh();
    htmx.trigger(document.body, "pb-decided");
    const answer = board.querySelector("[data-said]");
    if (answer && lost.hidden) say(answer.textContent);
  }

  const send = (url, values, wanted, sent) => {
    queue = queue.then(() => post(url, values, wanted, sent)).catch(() =>
      fail("The change did not reach the server. Nothing was changed and nothing typed is lost: try again."));
    return queue;
  };

  // For the keys: the button is looked for when its turn comes, for the board may have changed until then.
  window.paperboyDesk = {
    say,
    press: (row, key) => {
      queue = queue.then(() => {
        const button = document.querySelector(`#${row} [data-deed="${key}"]`);
        if (!button || button.disabled) return undefined;
        return post(button.form.action, { deed: button.value });
      }).catch(() => fail("The change did not reach the server. Nothing was changed: try again."));
    },
    undo: () => send(document.querySelector("#pb-board").dataset.undo, { decision: "last" }),
  };

  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (form.id === "pb-deeds") {
      event.preventDefault();
      send(form.action, { deed: event.submitter.value });
      return;
    }
    if (!form.matches("[data-desk]")) return;
    event.preventDefault();
    const values = Object.fromEntries(new FormData(form));
    if (event.submitter && event.submitter.name) values[event.submitter.name] = event.submitter.value;
    const field = form.querySelector("[data-kept]");
    const row = form.closest(".pb-row");
    if (form.dataset.busy) {
      say(form.dataset.busy);
      form.querySelector("button").textContent = "Asking arXiv…";
      form.setAttribute("aria-busy", "true");
    }
    // The word, the subject and a note were decided upon what their own form showed, not what the board shows now.
    const own = field ? { ...values, revision: form.elements.revision.value } : (delete values.revision, values);
    send(form.action, own, row ? row.id : undefined, field);
  });

  document.addEventListener("htmx:beforeSwap", (event) => {
    const { xhr, target } = event.detail;
    if (target === board && xhr.status === 200 && !xhr.responseText.includes('id="pb-deeds"')) {
      event.detail.shouldSwap = false;
      fail("You are logged out. Log in again in another tab, then try again: nothing typed is lost.");
    }
  });
  document.addEventListener("htmx:responseError", (event) => fail(
    event.detail.xhr.status === 403
      ? "You may not do this, or your login is over. Log in in another tab, then try again."
      : "The server could not do this. Nothing was changed and nothing typed is lost: try again."));
  document.addEventListener("htmx:sendError", () => fail(
    "The server cannot be reached. Nothing was changed and nothing typed is lost: try again."));

  document.addEventListener("htmx:afterSwap", (event) => {
    const asked = event.detail.requestConfig;
    if (!asked || asked.verb !== "get") return;
    if (event.detail.target === board) say(board.querySelector("[data-count]").textContent);
    refresh();
  });
  // "Show more papers" is gone once they are there: the first of them has the focus then.
  document.addEventListener("click", (event) => {
    const more = event.target.closest("#pb-more a");
    if (!more) return;
    const shown = board.querySelectorAll(".pb-row").length;
    document.addEventListener("htmx:afterSettle", () => {
      const first = board.querySelectorAll(".pb-row")[shown];
      const { pages } = document.getElementById("pb-deeds").elements;
      pages.value = Number(pages.value) + 1;
      if (first) first.focus();
    }, { once: true });
  });

  document.addEventListener("pb-sorted", (event) => {
    const { paper, place } = event.detail;
    const form = document.getElementById("pb-deeds");
    send(form.action, { deed: `place ${paper} ${place}` });
  });

  function count(field) {
    const out = field.form && field.form.querySelector(".pb-counted");
    if (!out) return;
    const length = [...field.value].length, most = Number(field.dataset.most);
    out.textContent = `${length} of ${most}${out.dataset.also ? `, ${out.dataset.also}` : ""}`;
    out.classList.toggle("pb-counted-over", length > most);
  }
  function refresh() {
    desk.querySelectorAll("[data-most]").forEach(count);
  }
  desk.addEventListener("input", (event) => { if (event.target.dataset.most) count(event.target); });
  refresh();
  if (matchMedia("(min-width: 80rem)").matches) {
    desk.querySelectorAll("details[data-wide]").forEach((one) => { one.open = true; });
  }
})();

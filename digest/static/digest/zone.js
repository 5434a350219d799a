// Offers the browser's time zone where the choices say another one. Without this the page is whole.
"use strict";

for (const hint of document.querySelectorAll("[data-zone-for]")) {
  const field = document.getElementById(hint.dataset.zoneFor);
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
  const known = [...field.options].some((option) => option.value === zone);
  const compare = () => { hint.hidden = !known || field.value === zone; };
  hint.querySelector("strong").textContent = zone;
  hint.querySelector("button").addEventListener("click", () => {
    field.value = zone;
    field.dispatchEvent(new Event("change", { bubbles: true }));
    compare();
    field.focus();
  });
  field.addEventListener("change", compare);
  compare();
}

/* A button to copy what stands in a [data-copy] field. Without it, people select and copy by themselves. */
for (const field of document.querySelectorAll("[data-copy]")) {
  const button = document.createElement("button");
  const said = document.createElement("span");
  const row = document.createElement("p");
  button.type = "button";
  button.className = "button quiet";
  button.textContent = "Copy";
  button.setAttribute("aria-label", `Copy: ${field.labels[0].textContent}`);
  said.setAttribute("role", "status");
  said.className = "small muted";
  row.className = "buttons";
  row.append(button, said);
  field.after(row);
  button.addEventListener("click", async () => {
    field.select();
    try {
      await navigator.clipboard.writeText(field.value);
      said.textContent = "Copied.";
    } catch {
      said.textContent = "It is selected: copy it with your keyboard.";
    }
  });
}

// A calendar lies over the page: it closes with Escape, and when one goes on elsewhere, as nothing may be left under it.

const openCalendar = () => document.querySelector<HTMLDetailsElement>("details.calendar[open]");

function closeOutside({ target }: Event): void {
  const calendar = openCalendar();
  if (calendar && !calendar.contains(target as Node)) calendar.open = false;
}

document.addEventListener("pointerdown", closeOutside);
document.addEventListener("focusin", closeOutside);
document.addEventListener("keydown", (event) => {
  const calendar = event.key === "Escape" ? openCalendar() : null;
  if (!calendar) return;
  const hadFocus = calendar.contains(document.activeElement);
  calendar.open = false;
  if (hadFocus) calendar.querySelector("summary")?.focus();
});

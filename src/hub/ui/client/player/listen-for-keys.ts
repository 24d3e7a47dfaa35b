import { keyAction, type PlayerKeys } from "./player-keys.ts";

/** Keys of the whole page, but for what an element under the focus takes for itself. */
export function listenForKeys(surface: HTMLElement, keys: PlayerKeys): () => void {
  const onKey = (event: KeyboardEvent) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
    const target = event.target as Element;
    if (target.matches("input, select, textarea")) return;
    if (event.key === " " && target.matches("button, a, summary")) return;
    // Elsewhere they scroll the page.
    if (event.key.startsWith("Page") && target !== surface) return;
    const action = keyAction(event.key, event.shiftKey, keys);
    if (!action) return;
    event.preventDefault();
    action();
  };
  document.addEventListener("keydown", onKey);
  return () => document.removeEventListener("keydown", onKey);
}

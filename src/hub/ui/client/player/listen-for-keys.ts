import { keyAction, type PlayerKeys } from "./player-keys.ts";

/** Elsewhere than on the timeline they scroll the page. */
const ofTimeline = /^(?:Page|Home|End|ArrowUp|ArrowDown)/;

/** Keys of the whole page, but for what an element under the focus takes for itself. */
export function listenForKeys(surface: HTMLElement, keys: PlayerKeys): () => void {
  const onKey = (event: KeyboardEvent) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
    const target = event.target as Element;
    if (target.matches("input:not([type=checkbox]), select, textarea")) return;
    if (event.key === " " && target.matches("button, a, summary, input")) return;
    if (ofTimeline.test(event.key) && target !== surface) return;
    const action = keyAction(event.key, event.shiftKey, keys);
    if (!action) return;
    event.preventDefault();
    action();
  };
  document.addEventListener("keydown", onKey);
  return () => document.removeEventListener("keydown", onKey);
}

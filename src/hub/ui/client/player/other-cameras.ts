const key = "livecam.chosen";

/** The boxes of the cameras that could be seen beside the page's own; `go` leads to the page that has those chosen. */
export function listenForOthers(player: HTMLElement, go: (besides: string[]) => void): void {
  const boxes = [...player.querySelectorAll<HTMLInputElement>("input[name=with]")];
  for (const box of boxes) {
    box.addEventListener("change", () => {
      remember(box.value);
      go(boxes.filter(({ checked }) => checked).map(({ value }) => value));
    });
  }
  // The page is another one then: whoever chose is where they were.
  const chosen = recall();
  boxes.find(({ value }) => value === chosen)?.focus({ preventScroll: true });
}

function remember(cameraId: string): void {
  try {
    sessionStorage.setItem(key, cameraId);
  } catch {
    // A browser that keeps nothing begins at the top.
  }
}

function recall(): string | null {
  try {
    const chosen = sessionStorage.getItem(key);
    sessionStorage.removeItem(key);
    return chosen;
  } catch {
    return null;
  }
}

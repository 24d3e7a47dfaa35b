/** What a person chose for the wall, kept in the browser. */
export interface WallChoice {
  columns: string;
  /** All cameras live, or with their newest picture … */
  isLive: boolean;
  /** … but these, which are the other way. */
  others: readonly string[];
}

const key = "livecam.wall";
const columns = /^(?:auto|[1-9])$/;
const maxOthers = 1_000;

/** What is not, or not yet, known falls back to the beginning. */
export function parseWallChoice(text: string | null): WallChoice {
  const choice: WallChoice = { columns: "auto", isLive: false, others: [] };
  try {
    const found = JSON.parse(text ?? "{}");
    if (columns.test(found.columns)) choice.columns = found.columns;
    choice.isLive = found.isLive === true;
    if (Array.isArray(found.others)) {
      choice.others = found.others.filter((id: unknown) => typeof id === "string").slice(0, maxOthers);
    }
  } catch {
    // Of another release, or of nobody: the wall begins anew.
  }
  return choice;
}

export const isLiveWanted = ({ isLive, others }: WallChoice, cameraId: string) =>
  isLive !== others.includes(cameraId);

/** One camera the other way than it is. */
export function toggleCamera(choice: WallChoice, cameraId: string): WallChoice {
  const { others } = choice;
  const isOther = others.includes(cameraId);
  return { ...choice, others: isOther ? others.filter((id) => id !== cameraId) : [...others, cameraId] };
}

/** The same in every window that shows the wall; a browser that keeps nothing forgets it with the page. */
export function loadWallChoice(): WallChoice {
  try {
    return parseWallChoice(localStorage.getItem(key));
  } catch {
    return parseWallChoice(null);
  }
}

export function saveWallChoice(choice: WallChoice): void {
  try {
    localStorage.setItem(key, JSON.stringify(choice));
  } catch {
    // Private windows may have no room.
  }
}

export interface PlayerKeys {
  toggle(): void;
  pause(): void;
  push(direction: 1 | -1): void;
  step(direction: 1 | -1): void;
  seekBy(ms: number): void;
  /** An end of what the timeline shows. */
  seekTo(end: "from" | "to"): void;
  zoom(factor: number): void;
  mark(end: "from" | "to"): void;
  mute(): void;
  fullScreen(): void;
}

/** What a key does; undefined for all that have no meaning here. */
export function keyAction(key: string, isShifted: boolean, keys: PlayerKeys): (() => void) | undefined {
  const by = isShifted ? 60_000 : 5_000;
  const actions: Record<string, () => void> = {
    " ": () => keys.toggle(),
    ArrowLeft: () => keys.seekBy(-by),
    ArrowRight: () => keys.seekBy(by),
    ArrowDown: () => keys.seekBy(-by),
    ArrowUp: () => keys.seekBy(by),
    Home: () => keys.seekTo("from"),
    End: () => keys.seekTo("to"),
    PageDown: () => keys.seekBy(-600_000),
    PageUp: () => keys.seekBy(600_000),
    ",": () => keys.step(-1),
    ".": () => keys.step(1),
    j: () => keys.push(-1),
    k: () => keys.pause(),
    l: () => keys.push(1),
    i: () => keys.mark("from"),
    o: () => keys.mark("to"),
    m: () => keys.mute(),
    f: () => keys.fullScreen(),
    "+": () => keys.zoom(0.5),
    "=": () => keys.zoom(0.5),
    "-": () => keys.zoom(2),
  };
  const name = key.length === 1 ? key.toLowerCase() : key;
  return Object.hasOwn(actions, name) ? actions[name] : undefined;
}

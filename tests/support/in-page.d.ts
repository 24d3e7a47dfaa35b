/** What the page looks like; `overflow` in pixels beyond the window's width. */
export function look(): {
  language: string;
  heading: string;
  overflow: number;
  ground: string;
  brokenImages: number;
};
export function countFocusable(): number;
export function lookAtFocus(): { index: number; isMarked: boolean; html: string } | undefined;
export function focusedId(): string | undefined;
/** Plays half a second, then seeks; the media times of the frames that were shown. All times in seconds. */
export function playAndSeek(times: number[]): Promise<{
  width: number;
  height: number;
  duration: number;
  played: number[];
  shown: number[];
  corrupted: number;
}>;
export function playFrom(time: number): Promise<void>;
export function playsOnInSameElement(): boolean;
export function seekTo(time: number): void;
export function hasEnded(): boolean;
export function showsOtherPicture(before: string | null): boolean;
/** Puts a playlist into the page by hls.js and waits until it can be played; of a player's clock and its date. */
export function openHls(
  address: string,
): Promise<{ duration: number; time: number; date: string | undefined }>;
/** Plays to the end. `waits` are the times at which the player ran dry. */
export function playHls(rate: number): Promise<{
  errors: string[];
  waits: number[];
  frames: number;
  corrupted: number;
  /** What was loaded in the end. */
  ranges: [number, number][];
  time: number;
  date: string | undefined;
}>;
/** The media time of the frame shown after a seek. */
export function seekHls(time: number): Promise<{ shown: number; date: string | undefined }>;
/** Loads all in changing qualities, then plays to the end: `heights` of the parts, `ranges` that were loaded. */
export function playMixedHls(address: string): Promise<{
  errors: string[];
  heights: number[];
  ranges: [number, number][];
  waits: number[];
  frames: number;
  corrupted: number;
  duration: number;
}>;
/** As {@link openHls} and {@link playHls}, with another player. */
export function openShaka(address: string): Promise<{ duration: number; time: number }>;
export function playShaka(rate: number): Promise<{
  errors: string[];
  waits: number[];
  frames: number;
  corrupted: number;
  ranges: [number, number][];
  time: number;
}>;
/** Plays to the end and changes the quality with each part that comes: heights that were `offered` and `shown`. */
export function playMixedShaka(address: string): Promise<{
  errors: string[];
  offered: number[];
  shown: number[];
  frames: number;
  corrupted: number;
  time: number;
}>;
/** Plays a live playlist for so long; `lateMs` is the player's date behind now. */
export function playLiveHls(of: {
  address: string;
  seconds: number;
}): Promise<{ errors: string[]; lateMs: number; frames: number }>;
/** The live page shows moving pictures. */
export function livePlays(): boolean;
export function liveShowsNothing(): boolean;
export function hidePage(isHidden: boolean): void;
export function screenSize(): { width: number; height: number };
export function leaveFullScreen(): Promise<void>;
export function lookAtWall(): { columns: number; playing: string[]; pressed: number };
/** So many tiles show moving pictures, and no more. */
export function wallPlays(count: number): boolean;
export function openAll(): void;
export function enlargeText(): void;
export function focusMatches(selector: string): boolean;
export function nextFrame(): Promise<void>;

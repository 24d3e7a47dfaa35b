export function measureLive(of: {
  layout: { x: number; y: number; cellWidth: number; cellHeight: number };
  cells: number;
  seconds: number;
}): Promise<{
  /** When, since the first frame, and how late. */
  delays: { atMs: number; ms: number }[];
  /** When the player ran dry, since the first frame. */
  waitsAtMs: number[];
  /** From the beginning of the page's loading to the first frame. */
  firstMs: number;
}>;

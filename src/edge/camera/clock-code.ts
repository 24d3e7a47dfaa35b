/**
 * The wall clock in a form that programs can read from a picture: a row of cells, white for 1 and black for 0. The first
 * is white, the second black, so that a reader knows what both look like; then the milliseconds since 1970, their lowest
 * {@link clockBits} bits, the highest of them first.
 */
export const clockBits = 20;
export const clockCells = 2 + clockBits;

export interface ClockCodeLayout {
  /** Of the first cell, in pixels. */
  x: number;
  y: number;
  cellWidth: number;
  cellHeight: number;
}

export function clockCodeLayout(of: { width: number; height: number; unit: number }): ClockCodeLayout {
  const { width, height, unit } = of;
  const cellWidth = Math.max(2, Math.floor((width - 2 * unit) / clockCells));
  return {
    x: Math.round(unit),
    y: Math.round(height - unit * 2.3),
    cellWidth,
    cellHeight: Math.max(2, Math.round(unit * 0.5)),
  };
}

/** ffmpeg filters that make the row, frame by frame at `fps`: drawn as pixels, then blown up to cells. */
export function clockCodeFilters({ cellWidth, cellHeight }: ClockCodeLayout, fps: number): string {
  const bit = `mod(floor((T*1000+0.5)/pow(2\\,${clockCells - 1}-X))\\,2)`;
  return [
    `color=c=black:s=${clockCells}x2:r=${fps}`,
    "format=yuv420p",
    "settb=1/1000",
    "setpts=RTCTIME/1000",
    `geq=lum=if(lt(X\\,2)\\,235-219*X\\,16+219*${bit}):cb=128:cr=128`,
    `settb=1/${fps}`,
    "setpts=N",
    `scale=${clockCells * cellWidth}:${cellHeight}:flags=neighbor`,
  ].join(",");
}

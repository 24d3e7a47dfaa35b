/** @jsxImportSource hono/jsx */
import type { FC } from "hono/jsx";

const paths = {
  person: "M12 12a4 4 0 1 0 0-8 4 4 0 0 0 0 8Zm-7 8a7 7 0 0 1 14 0",
  previous: "m15 5-7 7 7 7",
  next: "m9 5 7 7-7 7",
  calendar: "M5 6h14v13H5zM5 10h14M9 3v4m6-4v4",
  download: "M12 4v11m0 0-4-4m4 4 4-4M5 20h14",
  play: "M8 5.5v13l10.5-6.5z",
  float: "M4 6h16v12H4zM12 12h6v4h-6z",
  expand: "M4 9V4h5m6 0h5v5m0 6v5h-5m-6 0H4v-5",
  camera: "M4 8h4l1.5-2.5h5L16 8h4v11H4zM12 16.5a3 3 0 1 0 0-6 3 3 0 0 0 0 6Z",
  pause: "M8.5 5.5v13m7-13v13",
  back: "m12 6-6 6 6 6m7-12-6 6 6 6",
  forward: "m12 6 6 6-6 6M5 6l6 6-6 6",
  frameBack: "M6.5 5.5v13m11-13L10 12l7.5 6.5z",
  frameForward: "M17.5 5.5v13m-11-13L14 12l-7.5 6.5z",
  plus: "M12 5v14M5 12h14",
  minus: "M5 12h14",
  sound: "M5 9.5v5h3.5L13 19V5L8.5 9.5zM16 9a4.5 4.5 0 0 1 0 6m2.5-8.5a8 8 0 0 1 0 11",
  muted: "M5 9.5v5h3.5L13 19V5L8.5 9.5zM16.5 10l4 4m0-4-4 4",
  warning: "M12 4 3 19.5h18L12 4Zm0 6v4.5m0 2.6v.1",
} as const;

export type IconName = keyof typeof paths;

/** A line drawing beside words that say the same; never read out. */
export const Icon: FC<{ name: IconName }> = ({ name }) => (
  <svg class="icon" viewBox="0 0 24 24" width="20" height="20" aria-hidden="true" focusable="false">
    <path d={paths[name]} />
  </svg>
);

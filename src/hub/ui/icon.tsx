/** @jsxImportSource hono/jsx */
import type { FC } from "hono/jsx";

const paths = {
  person: "M12 12a4 4 0 1 0 0-8 4 4 0 0 0 0 8Zm-7 8a7 7 0 0 1 14 0",
  previous: "m15 5-7 7 7 7",
  next: "m9 5 7 7-7 7",
  calendar: "M5 6h14v13H5zM5 10h14M9 3v4m6-4v4",
  download: "M12 4v11m0 0-4-4m4 4 4-4M5 20h14",
  play: "M8 5.5v13l10.5-6.5z",
  expand: "M4 9V4h5m6 0h5v5m0 6v5h-5m-6 0H4v-5",
  camera: "M4 8h4l1.5-2.5h5L16 8h4v11H4zM12 16.5a3 3 0 1 0 0-6 3 3 0 0 0 0 6Z",
  warning: "M12 4 3 19.5h18L12 4Zm0 6v4.5m0 2.6v.1",
} as const;

export type IconName = keyof typeof paths;

/** A line drawing beside words that say the same; never read out. */
export const Icon: FC<{ name: IconName }> = ({ name }) => (
  <svg class="icon" viewBox="0 0 24 24" width="20" height="20" aria-hidden="true" focusable="false">
    <path d={paths[name]} />
  </svg>
);

/** @jsxImportSource hono/jsx */
import type { FC } from "hono/jsx";

/** `good`: as it should be. `busy`: on its way there. `warn`: look at it. `bad`: it does not work. `quiet`: meant to be so. */
export type Tone = "good" | "busy" | "warn" | "bad" | "quiet";

/** A state in a word; its colour only repeats it. */
export const Badge: FC<{ tone: Tone; text: string }> = ({ tone, text }) => (
  <span class={`badge ${tone}`}>{text}</span>
);

/** A setting that may change while it is in use: the value itself, or how to ask for the one in force. */
export type Live<T extends number | string | boolean | object | undefined> = T | (() => T);

/** As it is now; ask again where it is used again. */
export function inForce<T extends number | string | boolean | object | undefined>(setting: Live<T>): T {
  return typeof setting === "function" ? (setting as () => T)() : setting;
}

/**
 * Rows as the argument of `json_each`. The half of a surrogate pair is replaced: SQLite would store it as bytes that
 * are no UTF-8, and whoever reads such a text with libSQL ends the process.
 */
export function jsonArgument(rows: unknown): string {
  const json = JSON.stringify(rows);
  // Only halves are written as an escape of this range.
  if (!/\\ud[89a-f]/.test(json)) return json;
  return JSON.stringify(rows, (_, value) => (typeof value === "string" ? value.toWellFormed() : value));
}

/** A Markdown table that is readable as it is, so that it can be pasted into docs/faults.md. */
export function formatColumns(header: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = header.map((title, column) =>
    Math.max(3, title.length, ...rows.map((row) => row[column]?.length ?? 0)),
  );
  const format = (cells: readonly string[]) =>
    `| ${cells.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(" | ")} |\n`;
  return format(header) + format(widths.map((width) => "-".repeat(width))) + rows.map(format).join("");
}

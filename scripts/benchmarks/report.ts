import type { Goal, Row } from "./benchmark.ts";
import { ratios, type Summary, summarize } from "./statistics.ts";

export interface JudgedRow {
  figure: string;
  unit: string;
  ours: Summary;
  peer?: Summary & { name: string };
  ratio?: number;
  goal?: Goal;
  /** Absent where there is no goal. */
  met?: boolean;
  note?: string;
}

export function judgeRow(row: Row): JudgedRow {
  const ours = summarize(row.ours);
  const peer = row.peer && { name: row.peer.name, ...summarize(row.peer.values) };
  const median = row.peer && summarize(ratios(row.ours, row.peer.values)).median;
  // To a peer that took nothing there is no ratio, which matters where that is the goal.
  const ratio = row.goal?.of === "ratio" || Number.isFinite(median) ? median : undefined;
  const judged = row.goal?.of === "ratio" ? ratio : ours.median;
  const met =
    row.goal === undefined || judged === undefined
      ? undefined
      : row.goal.is === "at_most"
        ? judged <= row.goal.value
        : judged >= row.goal.value;
  return {
    figure: row.figure,
    unit: row.unit,
    ours,
    ...(peer && { peer }),
    ...(ratio !== undefined && { ratio }),
    ...(row.goal && { goal: row.goal }),
    ...(met !== undefined && { met }),
    ...(row.note !== undefined && { note: row.note }),
  };
}

/** A Markdown table that is readable as it is, so that it can be pasted into docs/benchmarks.md. */
export function formatTable(rows: readonly JudgedRow[]): string {
  const lines = rows.map((row) => [
    row.figure,
    `${formatSummary(row.ours)} ${row.unit}`.trimEnd(),
    row.peer ? `${formatSummary(row.peer)} ${row.unit}`.trimEnd() : "",
    row.peer?.name ?? "",
    row.ratio === undefined ? "" : `${formatNumber(row.ratio)} ×`,
    row.goal ? formatGoal(row.goal, row.unit) : "",
    row.met === undefined ? "" : row.met ? "met" : "MISSED",
  ]);
  const header = ["figure", "livecam", "peer", "the peer is", "ratio", "goal", ""];
  const widths = header.map((title, column) =>
    Math.max(3, title.length, ...lines.map((line) => line[column]?.length ?? 0)),
  );
  const format = (cells: readonly string[]) =>
    `| ${cells.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(" | ")} |\n`;
  const notes = [...new Set(rows.flatMap(({ note }) => (note === undefined ? [] : [note])))];
  return (
    format(header) +
    format(widths.map((width) => "-".repeat(width))) +
    lines.map(format).join("") +
    (notes.length > 0 ? `\n${notes.map((note) => `- ${note}\n`).join("")}` : "")
  );
}

function formatSummary({ median, min, max }: Summary): string {
  if (min === max) return formatNumber(median);
  return `${formatNumber(median)} (${formatNumber(min)}–${formatNumber(max)})`;
}

function formatGoal(goal: Goal, unit: string): string {
  const sign = goal.is === "at_most" ? "≤" : "≥";
  return goal.of === "ratio" ? `${sign} ${goal.value} ×` : `${sign} ${goal.value} ${unit}`.trimEnd();
}

/** Three significant digits. */
export function formatNumber(value: number): string {
  if (!Number.isFinite(value)) return "?";
  if (Math.abs(value) < 1e-9) return "0.00";
  const digits = Math.max(0, 2 - Math.floor(Math.log10(Math.abs(value))));
  return value.toFixed(Math.min(digits, 4));
}

import {
  configureSync,
  getLogger,
  jsonLinesFormatter,
  type Logger,
  type LogLevel,
  type LogRecord,
} from "@logtape/logtape";
import { describeError, errorCodeOf } from "./errors.ts";

export type { Logger, LogLevel };

/**
 * Logs go to stderr as one JSON line each, so that stdout stays free for a command's answer. On a terminal they are
 * shortened to a readable line. Control characters of foreign text are escaped by JSON in either form. Called again, it
 * changes what is logged from then on, and loses no line.
 */
export function configureLogging(options: {
  level: LogLevel;
  readable: boolean;
  /** Hears of every error, by the module that logged it. */
  onError?: (module: string) => void;
}): void {
  const { readable, onError } = options;
  const stderr = (record: LogRecord) => {
    process.stderr.write((readable ? readableLine : jsonLine)(record));
    if (record.level === "error" || record.level === "fatal") onError?.(record.category[1] ?? "livecam");
  };
  configureSync({
    sinks: { stderr },
    loggers: [
      { category: "livecam", lowestLevel: options.level, sinks: ["stderr"] },
      { category: ["logtape", "meta"], lowestLevel: "warning", sinks: ["stderr"] },
    ],
    reset: true,
  });
}

/** `createLogger("uploader")`: the module is the category, so that errors can be counted by module. */
export function createLogger(module: string): Logger {
  return getLogger(["livecam", module]);
}

/** Properties that describe an error in a log record. */
export function errorFields(error: unknown): { error: string; code: string } {
  return { error: describeError(error), code: errorCodeOf(error) };
}

function jsonLine(record: LogRecord): string {
  return jsonLinesFormatter(record);
}

function readableLine(record: LogRecord): string {
  const message = record.message
    .map((part) => (typeof part === "string" ? part : JSON.stringify(part)))
    .join("");
  const fields = Object.entries(record.properties)
    .map(
      ([key, value]) =>
        `${key}=${typeof value === "string" && /^[\w./:@+-]+$/.test(value) ? value : JSON.stringify(value)}`,
    )
    .join(" ");
  const time = new Date(record.timestamp).toISOString();
  return `${time} ${record.level.padEnd(7)} ${record.category.slice(1).join(".")}: ${message}${fields ? ` ${fields}` : ""}\n`;
}

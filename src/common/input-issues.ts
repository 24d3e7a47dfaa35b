import * as v from "valibot";
import type { InputIssue } from "./errors.ts";

/** Fields whose value is never repeated: somebody may have written the secret where its source belongs. */
const secretPath = /(?:^|[._])(?:api_key|key|password|credentials|secret|token)(?:\.|$)/;

/** More than these are not told: it is another kind of file then. */
const maxUnknownKeys = 20;

/**
 * valibot's issues in the words of {@link InputIssue}: the path of the field, what was expected, what was there.
 * The received value is shortened and its control characters escaped, since it goes into logs and answers.
 */
export function inputIssuesOf(issues: readonly v.BaseIssue<unknown>[]): InputIssue[] {
  return issues.flatMap((issue): InputIssue[] => {
    const path = v.getDotPath(issue) ?? "";
    if (isUnknownKey(issue)) {
      return [
        { path: unknownKeyOf(issue, path), message: "not a known field; remove it or check its spelling" },
      ];
    }
    if (issue.received === "undefined") return [{ path, message: "required, but missing" }];
    const message = `expected ${expectationOf(issue)}`;
    return [secretPath.test(path) ? { path, message } : { path, message, received: receivedOf(issue.input) }];
  });
}

/** Validates and returns the output, or the issues: for callers that must answer with all of them. */
export function checkInput<S extends v.GenericSchema>(
  schema: S,
  input: unknown,
): { ok: true; output: v.InferOutput<S> } | { ok: false; issues: InputIssue[] } {
  const result = v.safeParse(schema, input);
  if (result.success) return { ok: true, output: result.output };
  return {
    ok: false,
    issues: [...inputIssuesOf(result.issues), ...furtherUnknownKeys(schema, input, result.issues)],
  };
}

/** valibot tells one unknown key per object; the others show when those told are taken out. */
function furtherUnknownKeys(
  schema: v.GenericSchema,
  input: unknown,
  issues: readonly v.BaseIssue<unknown>[],
): InputIssue[] {
  let unknown = issues.filter(isUnknownKey);
  if (unknown.length === 0) return [];
  const rest = structuredClone(input);
  const further: v.BaseIssue<unknown>[] = [];
  for (let round = 0; unknown.length > 0 && round < maxUnknownKeys; round++) {
    for (const { path = [] } of unknown) {
      const keys = path.map((item) => ("key" in item ? item.key : undefined));
      const last = keys.pop();
      const parent = keys.reduce<unknown>(
        (value, key) => (value as Record<PropertyKey, unknown>)?.[key as string],
        rest,
      );
      if (typeof parent === "object" && parent !== null)
        delete (parent as Record<PropertyKey, unknown>)[last as string];
    }
    unknown = (v.safeParse(schema, rest).issues ?? []).filter(isUnknownKey);
    further.push(...unknown);
  }
  return inputIssuesOf(further);
}

function isUnknownKey(issue: v.BaseIssue<unknown>): boolean {
  return issue.kind === "schema" && issue.type === "strict_object" && issue.expected === "never";
}

function expectationOf(issue: v.BaseIssue<unknown>): string {
  // valibot's own messages begin so; ours are written as what is expected.
  if (!issue.message.startsWith("Invalid ")) return issue.message;
  const expected = issue.expected?.replace(/^<=/, "at most ").replace(/^>=/, "at least ");
  if (issue.type === "min_length" || issue.type === "max_length" || issue.type === "length") {
    const unit = typeof issue.input === "string" ? "characters" : "entries";
    return `${expected} ${unit}`;
  }
  return expected ?? issue.requirement?.toString() ?? issue.message;
}

function unknownKeyOf(issue: v.BaseIssue<unknown>, path: string): string {
  const last = issue.path?.at(-1);
  return path || (last && "key" in last ? String(last.key) : "");
}

function receivedOf(input: unknown): string {
  const json = typeof input === "string" || typeof input === "object" ? JSON.stringify(input) : String(input);
  // An address with user and password, where one without was asked for.
  const text = json.replaceAll(/\/\/[^/\s"]*@/g, "//[user and password]@");
  return text.length > 80 ? `${text.slice(0, 77)}...` : text;
}

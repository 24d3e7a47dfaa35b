import * as v from "valibot";
import type { ListMetadata } from "./described-schema.ts";

// What every list of the API takes in its query.

export const order = v.pipe(
  v.optional(v.picklist(["newest_first", "oldest_first"]), "newest_first"),
  v.description("By start time."),
);

export const cursor = v.pipe(
  v.string(),
  v.maxLength(400),
  v.description("`next_cursor` of the page before; every other parameter but `limit` stays as it was."),
);

export const upTo500 = v.pipe(
  v.string(),
  v.regex(/^\d{1,3}$/, "a whole number from 1 to 500"),
  // What the text stands for, in the API's description.
  v.metadata({ type: "integer", minimum: 1, maximum: 500, pattern: undefined }),
  v.transform(Number),
  v.minValue(1, "a whole number from 1 to 500"),
  v.maxValue(500, "a whole number from 1 to 500"),
);

export const limit = v.optional(upTo500, "50");

/** A parameter that may be given several times, or once with commas. */
export function listOf<const S extends v.GenericSchema<string, unknown>>(item: S, maxLength: number) {
  return v.pipe(
    v.union([v.string(), v.array(v.string())], "text"),
    v.transform((value) => [value].flat().flatMap((text) => text.split(","))),
    v.maxLength(maxLength),
    v.array(item),
    v.metadata({ itemOfList: item } satisfies ListMetadata),
  );
}

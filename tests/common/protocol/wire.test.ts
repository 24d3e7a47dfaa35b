import { expect, test } from "bun:test";
import fc from "fast-check";
import * as v from "valibot";
import { PlainText, plainTextOf } from "../../../src/common/protocol/wire.ts";

test("plainTextOf makes of any text what PlainText takes, also where it cuts a character in two", () => {
  expect(plainTextOf("ab\u{1f600}", 3)).toBe("ab\ufffd");
  expect(plainTextOf("one\r\ntwo\u0000", 100)).toBe("one two ");
  fc.assert(
    fc.property(fc.string({ unit: "binary", maxLength: 40 }), fc.nat(20), (text, maxLength) => {
      // Also one that begins with the second half of a pair.
      for (const any of [text, text.slice(1)]) {
        expect(v.is(PlainText(maxLength), plainTextOf(any, maxLength))).toBe(true);
      }
    }),
  );
});

import { describe, expect, test } from "bun:test";
import { join } from "node:path";
import fc from "fast-check";
import * as v from "valibot";
import { hubMessages, nodeMessages, parseLinkMessage } from "../../../src/common/protocol/link.ts";
import { formatLinkFrame, LinkFrameHeader, parseLinkFrame } from "../../../src/common/protocol/link-frame.ts";
import { linkMethods } from "../../../src/common/protocol/link-methods.ts";

const page = await Bun.file(join(import.meta.dir, "../../../docs/link-protocol.md")).text();

describe("docs/link-protocol.md", () => {
  const examples = [...page.matchAll(/```json\n([\s\S]*?)```/g)].map(
    ([, text]) => JSON.parse(text ?? "") as { type: string },
  );

  test("has examples of every kind of message, and each is as the schemas have it", () => {
    const schemas = { ...nodeMessages, ...hubMessages };
    for (const example of examples) {
      const isFrame = !Object.hasOwn(schemas, example.type);
      const isRight = isFrame
        ? v.is(LinkFrameHeader, example)
        : parseLinkMessage(schemas, JSON.stringify(example)).ok;
      expect([example.type, isRight]).toEqual([example.type, true]);
    }
    const types = new Set(examples.map(({ type }) => type));
    for (const type of [
      ...Object.keys(schemas),
      ...LinkFrameHeader.options.map(({ entries }) => entries.type.literal),
    ]) {
      expect([type, types.has(type)]).toEqual([type, true]);
    }
  });

  test("has requests whose parameters, and answers whose results, are as the methods have them", () => {
    const requests = examples.filter(({ type }) => type === "request") as {
      type: string;
      id: string;
      method: keyof typeof linkMethods;
      params: unknown;
    }[];
    expect(requests.length).toBeGreaterThan(0);
    for (const { id, method, params } of requests) {
      expect([method, v.is(linkMethods[method].params as v.GenericSchema, params)]).toEqual([method, true]);
      const answers = examples.filter(
        (example) => "result" in example && "id" in example && example.id === id,
      );
      for (const answer of answers as unknown as { result: unknown }[]) {
        const isRight = v.is(linkMethods[method].result as v.GenericSchema, answer.result);
        expect([method, isRight]).toEqual([method, true]);
      }
    }
  });

  test("names every method", () => {
    const table = page.slice(page.indexOf("| method |"), page.indexOf("## Binary"));
    const named = [...table.matchAll(/^\| (`[^|]*`) \|/gm)].flatMap(([, cell]) =>
      [...(cell ?? "").matchAll(/`(\w+)`/g)].map(([, name]) => name),
    );
    expect(named.sort() as string[]).toEqual(Object.keys(linkMethods).sort());
  });
});

describe("messages", () => {
  test("any text is parsed or refused, and the refusal can itself be said", () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.json(),
          fc.object().map((value) => JSON.stringify({ type: "response", ...value })),
        ),
        (text) => {
          const parsed = parseLinkMessage(nodeMessages, text);
          if (!parsed.ok) expect(parseLinkMessage(hubMessages, JSON.stringify(parsed.error)).ok).toBe(true);
        },
      ),
      { numRuns: 2000 },
    );
  });

  test("what is added by a later release is ignored", () => {
    const parsed = parseLinkMessage(nodeMessages, '{"type":"pong","id":"1","later":{"__proto__":{"a":1}}}');
    expect(parsed).toEqual({ ok: true, message: { type: "pong", id: "1" } });
  });

  const refused: [string, object][] = [
    ["a response without an answer", { type: "response", id: "1" }],
    [
      "a response with an endless reason",
      {
        type: "response",
        id: "1",
        problem: { title: "x", status: 400, code: "x", detail: "y".repeat(5000) },
      },
    ],
    [
      "a hello with control characters",
      {
        type: "hello",
        link_version: 1,
        node_id: "a",
        software_version: "1\n2",
        config_version: "c",
        methods: [],
      },
    ],
    [
      "a hello with ten thousand methods",
      {
        type: "hello",
        link_version: 1,
        node_id: "a",
        software_version: "1",
        config_version: "c",
        methods: Array(10_000).fill("m"),
      },
    ],
    [
      "a hello of a node that cannot be",
      {
        type: "hello",
        link_version: 1,
        node_id: "../a",
        software_version: "1",
        config_version: "c",
        methods: [],
      },
    ],
    [
      "version 0",
      {
        type: "hello",
        link_version: 0,
        node_id: "a",
        software_version: "1",
        config_version: "c",
        methods: [],
      },
    ],
  ];
  for (const [name, message] of refused) {
    test(`${name} is refused`, () => {
      expect(parseLinkMessage(nodeMessages, JSON.stringify(message))).toMatchObject({
        ok: false,
        error: { code: "malformed" },
      });
    });
  }
});

describe("binary messages", () => {
  const header = { type: "snapshot", id: "1", camera_id: "cam01", media_type: "image/jpeg" } as const;

  test("come back as they were, also from the middle of a larger buffer", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 2000 }), fc.nat(16), (bytes, offset) => {
        const frame = formatLinkFrame({ header, payload: new Uint8Array(bytes) });
        const around = new Uint8Array(frame.byteLength + offset + 3);
        around.set(frame, offset);
        const parsed = parseLinkFrame(around.subarray(offset, offset + frame.byteLength));
        expect(parsed?.header).toEqual(header);
        expect(parsed && [...parsed.payload]).toEqual([...bytes]);
      }),
    );
  });

  test("any bytes are parsed or refused", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 100 }), (bytes) => {
        const own = new Uint8Array([1, 0, ...bytes]);
        const parsed = parseLinkFrame(own);
        if (parsed) expect(v.is(LinkFrameHeader, parsed.header)).toBe(true);
      }),
      { numRuns: 2000 },
    );
  });
});

import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { join } from "node:path";
import type { Video } from "../../../src/hub/db/catalog.ts";
import { archiveTestRun } from "../../support/archived-run.ts";
import { openTestHub, type TestHub } from "../../support/test-hub.ts";

setDefaultTimeout(60_000);

const startMs = Date.parse("2025-09-23T06:30:00Z");
const [from, to] = ["2025-09-23T06:30:00Z", "2025-09-23T06:30:05Z"];

interface RangeRoute {
  path: string;
  /** Both have to be given. */
  isRequired: boolean;
  takesCameras: boolean;
}

let hub: TestHub;
let routes: RangeRoute[];
let video: Video;

beforeAll(async () => {
  hub = await openTestHub();
  [video] = (await archiveTestRun(join(hub.folder, "archive"), {
    startTimeMs: startMs,
    secondsPerVideo: [5],
  })) as [Video];
  await hub.announce([video]);
  routes = await findRangeRoutes();
});
afterAll(() => hub[Symbol.asyncDispose]());

/** Every GET that takes a range of time, as the hub describes itself. */
async function findRangeRoutes(): Promise<RangeRoute[]> {
  const { paths } = (await (await hub.get("/api/openapi.json")).json()) as {
    paths: Record<string, { get?: { parameters?: { name: string; in: string; required?: boolean }[] } }>;
  };
  return Object.entries(paths).flatMap(([path, { get }]) => {
    const query = (get?.parameters ?? []).filter((parameter) => parameter.in === "query");
    const named = (name: string) => query.find((parameter) => parameter.name === name);
    if (named("from") === undefined || named("to") === undefined) return [];
    const isRequired = named("from")?.required === true && named("to")?.required === true;
    return [{ path, isRequired, takesCameras: named("camera_id") !== undefined }];
  });
}

function addressOf({ path, takesCameras }: RangeRoute, query: [string, string][], camera = "cam01"): string {
  const fields = new URLSearchParams(query);
  if (takesCameras) fields.append("camera_id", camera);
  return `${path.replace("{id}", camera)}?${fields}`;
}

async function ask(route: RangeRoute, query: [string, string][], camera?: string) {
  const response = await hub.get(addressOf(route, query, camera));
  const isProblem = response.headers.get("content-type") === "application/problem+json";
  if (isProblem) {
    const { issues, detail } = (await response.json()) as { issues?: { path: string }[]; detail?: string };
    return { status: response.status, fields: issues?.map((issue) => issue.path) ?? [], detail };
  }
  await response.arrayBuffer();
  return { status: response.status, fields: [], detail: undefined };
}

const range = (fromTime: string, toTime: string): [string, string][] => [
  ["from", fromTime],
  ["to", toTime],
];

test("what takes a range of time is known", () => {
  const paths = routes.map(({ path }) => path);
  for (const path of [
    "/api/videos",
    "/api/gaps",
    "/api/cameras/{id}/hls.m3u8",
    "/api/cameras/{id}/clip.mp4",
    "/api/cameras/{id}/timeline",
    "/api/evidence.zip",
  ]) {
    expect(paths).toContain(path);
  }
});

describe("times", () => {
  const bad = [
    ...[
      "",
      " ",
      "now",
      "0",
      "-1",
      "1758609000",
      "1758609000000",
      "1e3",
      "NaN",
      "Infinity",
      "null",
      "[]",
      "{}",
    ],
    ...["2025-09-23", "2025-09", "20250923T063000Z", "2025-W39-2T06:30:00Z", "2025-266T06:30:00Z"],
    ...["2025-09-23 06:30:00Z", "2025-09-23T06:30Z", "2025-09-23T06:30:00", "2025-09-23T06:30:00+0900"],
    ...["2025-09-23T06:30:00 Z", " 2025-09-23T06:30:00Z", "2025-09-23T06:30:00Z\n", "2025-09-23T06:30:00Z\0"],
    ...["2025-09-23T06:30:00.Z", "2025-09-23T06:30:00.1234567890Z", "2025-09-23T06:30:00,5Z"],
    ...["2025-02-29T00:00:00Z", "2025-02-30T00:00:00Z", "2025-04-31T00:00:00Z", "2025-00-10T00:00:00Z"],
    ...["2025-13-01T00:00:00Z", "2025-09-00T00:00:00Z", "2025-09-32T00:00:00Z", "2025-09-23T24:00:00Z"],
    ...["2025-09-23T25:00:00Z", "2025-09-23T06:60:00Z", "2025-09-23T06:30:60Z", "2025-09-23T23:59:60Z"],
    ...["2025-09-23T06:30:00+25:00", "2025-09-23T06:30:00+12:60", "2025-09-23T06:30:00−09:00"],
    ...[
      "+010000-01-01T00:00:00Z",
      "-000001-01-01T00:00:00Z",
      "10000-01-01T00:00:00Z",
      "12025-09-23T06:30:00Z",
    ],
    ...["9999-12-31T23:59:59-23:59", "0000-01-01T00:00:00+00:01", "２０２５-09-23T06:30:00Z"],
    ...["Tue, 23 Sep 2025 06:30:00 GMT", "09/23/2025", "2025년 9월 23일", "' OR 1=1 --", "../../etc/passwd"],
    "9".repeat(5_000),
  ];

  test("in every notation that is none are 400, and the field is named", async () => {
    for (const route of routes) {
      for (const time of bad) {
        for (const [name, query] of [
          ["from", range(time, to)],
          ["to", range(from, time)],
        ] as const) {
          const { status, fields } = await ask(route, query);
          expect([route.path, time, status, fields[0]]).toEqual([route.path, time, 400, name]);
        }
      }
    }
  });

  test("in every notation of RFC 3339 are the same time", async () => {
    for (const route of routes) {
      const expected = (await ask(route, range(from, to))).status;
      expect([route.path, expected]).toEqual([route.path, 200]);
      for (const time of [
        "2025-09-23t06:30:00z",
        "2025-09-23T06:30:00.000000000Z",
        "2025-09-23T15:30:00+09:00",
        "2025-09-23T06:30:00-00:00",
        "2025-09-22T06:31:00-23:59",
      ]) {
        const { status } = await ask(route, range(time, to));
        expect([route.path, time, status]).toEqual([route.path, time, expected]);
      }
    }
  });

  test("that are missing, given twice or beside unknown parameters are 400, and the field is named", async () => {
    for (const route of routes) {
      const twice = await ask(route, [...range(from, to), ["from", from]]);
      expect([route.path, twice.status, twice.fields]).toEqual([route.path, 400, ["from"]]);
      for (const name of ["until", "constructor", "__proto__", "From", "from[]"]) {
        const { status, fields } = await ask(route, [...range(from, to), [name, from]]);
        expect([route.path, status, fields]).toEqual([route.path, 400, [name]]);
      }
      if (!route.isRequired) continue;
      expect((await ask(route, [["to", to]])).fields).toEqual(["from"]);
      expect((await ask(route, [["from", from]])).fields).toEqual(["to"]);
      expect((await ask(route, [])).status).toBe(400);
    }
  });
});

describe("ranges", () => {
  test("reversed or empty are 400, and the field is named", async () => {
    for (const route of routes) {
      for (const query of [
        range(to, from),
        range(from, from),
        range("2025-09-23T06:30:00.001Z", from),
        range("9999-12-31T23:59:59Z", "0000-01-01T00:00:00Z"),
        range("2025-09-23T15:30:00+09:00", from),
      ]) {
        const { status, fields } = await ask(route, query);
        expect([route.path, query, status, fields]).toEqual([route.path, query, 400, ["to"]]);
      }
    }
  });

  test("of ten thousand years are a page of a list, or 400", async () => {
    const lists = ["/api/videos", "/api/gaps", "/api/cameras/{id}/on-edge"];
    for (const route of routes) {
      const { status, fields } = await ask(route, range("0000-01-01T00:00:00Z", "9999-12-31T23:59:59.999Z"));
      const expected = lists.includes(route.path) ? [200, []] : [400, ["to"]];
      expect([route.path, status, fields]).toEqual([route.path, ...expected] as [string, number, string[]]);
    }
  });

  test("without an end are answered or refused, and end", async () => {
    for (const route of routes.filter(({ isRequired }) => !isRequired)) {
      for (const query of [
        [["from", "0000-01-01T00:00:00Z"]],
        [["from", "9999-12-31T23:59:59Z"]],
        [["to", "9999-12-31T23:59:59Z"]],
      ] as [string, string][][]) {
        const { status } = await ask(route, query);
        expect([route.path, query, [200, 400, 404].includes(status)]).toEqual([route.path, query, true]);
      }
    }
  });

  test("with nothing in them are empty or 404, whenever they are", async () => {
    for (const route of routes) {
      for (const query of [
        range("1970-01-01T00:00:00Z", "1970-01-01T00:00:01Z"),
        range("0000-01-01T00:00:00Z", "0000-01-01T01:00:00Z"),
        range("9999-12-31T23:00:00Z", "9999-12-31T23:59:59.999Z"),
        range("2025-09-23T06:29:59.999Z", "2025-09-23T06:30:00Z"),
        range("2025-09-23T06:30:05Z", "2025-09-23T06:30:05.001Z"),
      ]) {
        const { status } = await ask(route, query);
        expect([route.path, query, [200, 404].includes(status)]).toEqual([route.path, query, true]);
      }
    }
  });
});

describe("cameras", () => {
  test("that are not there are empty or 404, those that cannot be 400", async () => {
    for (const route of routes.filter(({ path, takesCameras }) => takesCameras || path.includes("{id}"))) {
      for (const camera of ["cam99", "a", "x".repeat(32)]) {
        const { status } = await ask(route, range(from, to), camera);
        const expected = route.path.includes("{id}") || route.path.endsWith(".zip") ? [404] : [200, 404];
        expect([route.path, camera, expected.includes(status)]).toEqual([route.path, camera, true]);
      }
      for (const camera of ["CAM01", "..%2fcam01", "cam01%00", "metadata", "x".repeat(33), "%ff", "캠"]) {
        const { status } = await ask(route, range(from, to), camera);
        expect([route.path, camera, status]).toEqual([route.path, camera, 400]);
      }
    }
  });
});

test("cursors that were forged or are of another list are 400, and the field is named", async () => {
  const payload = (value: unknown) => Buffer.from(JSON.stringify(value)).toString("base64url");
  const forged = [
    ...["", ".", "..", "x", "x.y", "%00", "null", "a".repeat(10_000), "../../etc/passwd"],
    `${payload([1, startMs, video.videoId])}.`,
    `${payload([1, startMs, video.videoId])}.${"A".repeat(16)}`,
    `${payload({ __proto__: null })}.${"A".repeat(16)}`,
  ];
  for (const path of ["/api/videos", "/api/gaps", "/api/alerts"]) {
    for (const cursor of forged) {
      const response = await hub.get(`${path}?${new URLSearchParams({ cursor })}`);
      expect([path, cursor, response.status]).toEqual([path, cursor, 400]);
      expect(await response.json()).toMatchObject({ issues: [{ path: "cursor" }] });
    }
  }
});

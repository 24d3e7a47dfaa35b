import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Video } from "../../../src/hub/db/catalog.ts";
import { archiveTestVideo } from "../../support/archived-video.ts";
import { sendRaw, startPlaybackServer } from "./playback-server.ts";

let server: Awaited<ReturnType<typeof startPlaybackServer>>;
let video: Video;
let bytes: Buffer;
let path: string;
let sentFromKept = 0;

beforeAll(async () => {
  server = await startPlaybackServer({
    wrapMedia: (media) => ({
      ...media,
      keptFile: (...asked) => {
        const file = media.keptFile?.(...asked);
        if (file !== undefined) sentFromKept++;
        return file;
      },
    }),
  });
  // Large enough that Bun sends it with sendfile (1 MiB and more).
  video = await archiveTestVideo(server.root, {
    startTimeMs: Date.UTC(2025, 8, 23, 6, 30),
    seconds: 6,
    width: 1280,
    height: 720,
  });
  server.add(video);
  bytes = await readFile(join(server.root, video.filePath));
  path = `/api/videos/${video.videoId}/stream`;
  expect(bytes.length).toBeGreaterThan(1 << 20);
});
afterAll(() => server[Symbol.asyncDispose]());

const bodyOf = async (response: Response) => Buffer.from(await response.arrayBuffer());
const etag = () => `"${video.fileSha256}"`;

describe("the whole file", () => {
  test("has all headers and is byte for byte the archived one", async () => {
    const response = await server.get(path);
    const body = await bodyOf(response);
    expect(response.status).toBe(200);
    expect(createHash("sha256").update(body).digest("hex")).toBe(video.fileSha256);
    expect(Object.fromEntries(response.headers)).toMatchObject({
      "content-type": "video/mp4",
      "content-length": String(bytes.length),
      "accept-ranges": "bytes",
      etag: etag(),
      "last-modified": new Date(video.createdAtMs).toUTCString(),
      "cache-control": "private, max-age=31536000, immutable",
      "content-disposition": 'inline; filename="cam01_20250923_153000.mp4"',
      "x-content-type-options": "nosniff",
    });
    expect(response.headers.has("content-range")).toBe(false);
  });

  test("is offered for saving with download=1", async () => {
    const disposition = async (query: string) =>
      (await server.get(path + query, { range: "bytes=0-0" })).headers.get("content-disposition");
    expect(await disposition("?download=1")).toBe('attachment; filename="cam01_20250923_153000.mp4"');
    expect(await disposition("?download=0")).toStartWith("inline");
  });

  test("has the same headers in a large range, which is sent from a kept descriptor, as in a small one", async () => {
    const answer = async (range: string, more = {}) => {
      const response = await server.get(path, { range, ...more });
      expect(response.status).toBe(206);
      const { date, "x-request-id": id, ...headers } = Object.fromEntries(response.headers);
      expect(date && id).toBeString();
      return { headers, body: await bodyOf(response) };
    };
    const before = sentFromKept;
    const small = await answer("bytes=5-9");
    const large = await answer(`bytes=5-${5 + (1 << 20) - 1}`);
    expect(sentFromKept).toBe(before + 1);
    const ranges = { "content-length": "1048576", "content-range": `bytes 5-1048580/${bytes.length}` };
    expect(large.headers).toEqual({ ...small.headers, ...ranges });
    expect(large.body.equals(bytes.subarray(5, 5 + (1 << 20)))).toBe(true);
    // In other words, and with a condition: not by Bun's own reading of the range.
    for (const [range, more] of [
      ["bytes=5-99999999999", {}],
      ["bytes=05-1048580", {}],
      ["bytes= 5-1048580", {}],
      ["bytes=5-1048580", { "if-range": etag() }],
      ["bytes=5-1048580", { "if-match": etag(), "if-none-match": '"x"' }],
    ] as const) {
      const { headers, body } = await answer(range, more);
      expect(Object.keys(headers).sort()).toEqual(Object.keys(small.headers).sort());
      expect(body.equals(bytes.subarray(5, 5 + body.length))).toBe(true);
    }
    const changed = await server.get(path, { range: "bytes=5-1048580", "if-range": '"other"' });
    expect(changed.status).toBe(200);
    expect((await bodyOf(changed)).length).toBe(bytes.length);
  });

  test("HEAD says what GET would, without a body and without looking at Range", async () => {
    for (const range of [undefined, "bytes=0-9", "bytes=9999999999-"]) {
      const answer = await sendRaw(
        server.port,
        `HEAD ${path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer k\r\nConnection: close\r\n` +
          `${range ? `Range: ${range}\r\n` : ""}\r\n`,
      );
      expect(answer).toStartWith("HTTP/1.1 200 ");
      expect(answer).toEndWith("\r\n\r\n");
      expect(answer.match(/^content-length: .*$/gim)).toEqual([
        expect.stringMatching(new RegExp(`: ${bytes.length}$`)),
      ]);
    }
  });
});

describe("one range", () => {
  const size = () => bytes.length;
  const cases: [range: string, start: () => number, end: () => number][] = [
    ["bytes=0-0", () => 0, () => 1],
    ["bytes=0-", () => 0, size],
    ["bytes=100-", () => 100, size],
    ["bytes=-1", () => size() - 1, size],
    ["bytes=-999999999999", () => 0, size],
    ["bytes=1000-1100999", () => 1000, () => 1_101_000],
    ["bytes=5-999999999999", () => 5, size],
    ["bytes=10-19,15-29", () => 10, () => 30],
    ["bytes=0-4,999999999999-", () => 0, () => 5],
  ];
  for (const [range, start, end] of cases) {
    test(range, async () => {
      const response = await server.get(path, { range });
      const body = await bodyOf(response);
      expect(response.status).toBe(206);
      expect(response.headers.get("content-range")).toBe(`bytes ${start()}-${end() - 1}/${size()}`);
      expect(response.headers.get("content-length")).toBe(String(end() - start()));
      expect(body.equals(bytes.subarray(start(), end()))).toBe(true);
    });
  }
});

describe("several ranges", () => {
  test("come as multipart/byteranges that parses", async () => {
    const response = await server.get(path, { range: "bytes=0-0, 1000-301000 ,-10" });
    const body = await bodyOf(response);
    expect(response.status).toBe(206);
    expect(response.headers.has("content-range")).toBe(false);
    const boundary = /^multipart\/byteranges; boundary=(\S+)$/.exec(
      response.headers.get("content-type") ?? "",
    )?.[1];
    const parts = parseMultipart(body, boundary ?? "");
    expect(parts.map(({ headers }) => headers)).toEqual(
      [
        [0, 0],
        [1000, 301_000],
        [bytes.length - 10, bytes.length - 1],
      ].map(([from, to]) => ({
        "content-type": "video/mp4",
        "content-range": `bytes ${from}-${to}/${bytes.length}`,
      })),
    );
    expect(Buffer.concat(parts.map(({ data }) => data))).toEqual(
      Buffer.concat([bytes.subarray(0, 1), bytes.subarray(1000, 301_001), bytes.subarray(-10)]),
    );
  });

  test("two thousand are refused", async () => {
    const range = `bytes=${Array.from({ length: 2000 }, (_, i) => `${i * 3}-`).join(",")}`;
    expect((await server.get(path, { range })).status).toBe(416);
  });
});

describe("what cannot be answered", () => {
  for (const range of ["bytes=99999999999-", "bytes=-0", "bytes=5-4", "bytes=x", "bytes=", "bytes=0-1-2"]) {
    test(`416 for ${range}`, async () => {
      const response = await server.get(path, { range });
      expect(response.status).toBe(416);
      expect(response.headers.get("content-range")).toBe(`bytes */${bytes.length}`);
      expect(response.headers.get("content-type")).toBe("application/problem+json");
      expect(await response.json()).toMatchObject({ status: 416, issues: [{ path: "Range" }] });
    });
  }

  test("a unit nobody knows is ignored", async () => {
    const response = await server.get(path, { range: "seconds=0-1" });
    expect([response.status, (await bodyOf(response)).length]).toEqual([200, bytes.length]);
  });

  test("an id or a parameter that is none is named", async () => {
    const at = async (where: string) => {
      const response = await server.get(where);
      return { status: response.status, problem: (await response.json()) as Record<string, unknown> };
    };
    for (const id of [
      "x",
      "..%2f..%2fetc%2fpasswd",
      "%00",
      "a".repeat(5000),
      "constructor",
      video.videoId.toUpperCase(),
    ]) {
      expect(await at(`/api/videos/${id}/stream`)).toMatchObject({
        status: 400,
        problem: { issues: [{ path: "id" }] },
      });
    }
    expect(await at("/api/videos/01997543-c640-77dc-a5cd-4d9081e75f60/stream")).toMatchObject({
      status: 404,
    });
    expect(await at(`${path}?x=1`)).toMatchObject({ status: 400, problem: { issues: [{ path: "x" }] } });
    expect(await at(`${path}?download=2`)).toMatchObject({
      status: 400,
      problem: { issues: [{ path: "download" }] },
    });
    expect(await at(`${path}?download=1&download=1`)).toMatchObject({ status: 400 });
  });

  test("a deleted video is gone", async () => {
    const deleted: Video = { ...video, videoId: "01997543-c640-77dc-a5cd-4d9081e75f61", status: "deleted" };
    server.add(deleted);
    expect((await server.get(`/api/videos/${deleted.videoId}/stream`)).status).toBe(404);
  });
});

describe("conditions", () => {
  const date = (offsetMs = 0) => new Date(video.createdAtMs + offsetMs).toUTCString();
  const cases: [string, () => Record<string, string>, number][] = [
    ["If-None-Match", () => ({ "if-none-match": etag() }), 304],
    ["If-None-Match with a weak tag", () => ({ "if-none-match": `"x", W/${etag()}` }), 304],
    ["If-None-Match with another", () => ({ "if-none-match": '"x"' }), 200],
    ["If-Modified-Since", () => ({ "if-modified-since": date() }), 304],
    ["If-Modified-Since before", () => ({ "if-modified-since": date(-60_000) }), 200],
    ["If-Match with another", () => ({ "if-match": '"x"' }), 412],
    ["If-Match", () => ({ "if-match": etag() }), 200],
    ["If-Unmodified-Since before", () => ({ "if-unmodified-since": date(-60_000) }), 412],
    ["If-Range", () => ({ "if-range": etag(), range: "bytes=1-2" }), 206],
    ["If-Range with a date", () => ({ "if-range": date(), range: "bytes=1-2" }), 206],
    ["If-Range with an old tag", () => ({ "if-range": '"old"', range: "bytes=1-2" }), 200],
    ["If-Range with a weak tag", () => ({ "if-range": `W/${etag()}`, range: "bytes=1-2" }), 200],
    ["If-Range with an old date", () => ({ "if-range": date(-60_000), range: "bytes=1-2" }), 200],
    [
      "If-Range with an old tag and no such range",
      () => ({ "if-range": '"old"', range: "bytes=99999999-" }),
      200,
    ],
  ];
  for (const [name, headers, status] of cases) {
    test(`${name}: ${status}`, async () => {
      const response = await server.get(path, headers());
      const body = await bodyOf(response);
      expect(response.status).toBe(status);
      if (status === 200) expect(body.length).toBe(bytes.length);
      if (status === 206) expect(body.equals(bytes.subarray(1, 3))).toBe(true);
      if (status === 304) {
        expect(body.length).toBe(0);
        expect(response.headers.get("etag")).toBe(etag());
        expect(response.headers.get("cache-control")).toContain("immutable");
      }
    });
  }
});

test("a hundred clients at once get their own ranges", async () => {
  const answers = await Promise.all(
    Array.from({ length: 100 }, async (_, i) => {
      const [start, end] = [i * 997, i * 997 + 100_000 + i * 10_000];
      const response = await server.get(path, { range: `bytes=${start}-${end - 1}` });
      return (await bodyOf(response)).equals(bytes.subarray(start, end));
    }),
  );
  expect(answers).toEqual(Array(100).fill(true));
});

function parseMultipart(body: Buffer, boundary: string) {
  const text = body.toString("latin1");
  expect(text).toEndWith(`\r\n--${boundary}--\r\n`);
  return text
    .slice(0, -`\r\n--${boundary}--\r\n`.length)
    .split(new RegExp(`(?:^|\r\n)--${boundary}\r\n`))
    .slice(1)
    .map((part) => {
      const split = part.indexOf("\r\n\r\n");
      const headers = Array.from(
        part.slice(0, split).matchAll(/^(\S+): (.*)$/gm),
        ([, name = "", value = ""]) => [name.toLowerCase(), value],
      );
      return {
        headers: Object.fromEntries(headers),
        data: Buffer.from(part.slice(split + 4), "latin1"),
      };
    });
}

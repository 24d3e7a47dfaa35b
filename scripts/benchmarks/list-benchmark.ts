import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { isDeepStrictEqual } from "node:util";
import * as v from "valibot";
import { makeBigCatalog } from "../../tests/support/big-catalog.ts";
import type { Benchmark, Row } from "./benchmark.ts";
import { type RunningHub, startHub } from "./livecam-programs.ts";
import { formatGet, runLoadClient } from "./run-load.ts";
import { findFreePort, startServer } from "./server-process.ts";
import { percentile } from "./statistics.ts";

const sizes = {
  full: { videos: 1_000_000, rounds: 7, answers: 2_000 },
  quick: { videos: 100_000, rounds: 3, answers: 1_000 },
  tiny: { videos: 10_000, rounds: 1, answers: 20 },
};
const pageSize = 50;
const cameraCount = 20;
/** Places in the catalog that pages are asked for at, in turn. */
const places = 100;

/** The same page by the names of the hub and of the raw server. */
interface Page {
  hub: string;
  raw: string;
}

const Listed = v.object({
  videos: v.array(v.looseObject({ video_id: v.string(), start_time: v.string() })),
  next_cursor: v.optional(v.nullable(v.string())),
});

export const listBenchmark: Benchmark = {
  name: "list",
  summary: "a page of 50 of GET /api/videos at a million videos, against the same query in raw SQLite",

  async run({ scale, scratch, signal, say, binaries }) {
    const { hub: hubBinary } = await binaries();
    const { videos, rounds, answers } = sizes[scale];
    const dataDir = join(scratch, "data");
    await mkdir(dataDir);
    const path = join(dataDir, "catalog.db");
    say(`making a catalog of ${videos} videos`);
    const big = await makeBigCatalog({
      path,
      videoCount: videos,
      cameraCount,
      endTimeMs: Date.UTC(2026, 0, 1),
      signal,
    });
    await using hub = await startHub({
      hub: hubBinary,
      dataDir,
      archiveDir: join(scratch, "archive"),
      signal,
    });
    const rawPort = await findFreePort();
    const rawUrl = `http://127.0.0.1:${rawPort}`;
    await using _raw = await startServer({
      argv: [process.execPath, join(import.meta.dir, "raw-list-server.ts"), path, `${rawPort}`],
      signal,
      isReady: async () => (await fetch(`${rawUrl}/?limit=1`)).ok,
    });

    const kinds = await planPages(hub, big);
    for (const { pages } of kinds) await checkSame(hub, rawUrl, pages);

    const measure = async (port: number, requests: string[]) => {
      await runLoadClient(
        { port, connections: 1, requests, expectedStatus: 200, answers: Math.ceil(answers / 4) },
        signal,
      );
      return (await runLoadClient({ port, connections: 1, requests, expectedStatus: 200, answers }, signal))
        .latenciesMs;
    };
    const results = kinds.map((kind) => ({
      ...kind,
      ours: [] as number[][],
      peers: [] as number[][],
      bare: [] as number[][],
    }));
    // Round 0 is not counted: both servers are compiled to machine code on the way.
    for (let round = 0; round <= rounds; round++) {
      say(round === 0 ? "warming up" : `round ${round} of ${rounds}`);
      for (const { pages, ours, peers, bare } of results) {
        const raw = pages.map((page) => formatGet(page.raw));
        const own = pages.map((page) => formatGet(page.hub, authorization(hub)));
        const times = {
          raw: await measure(rawPort, raw),
          own: await measure(hub.port, own),
          bare: await measureBare(rawUrl, pages[0]?.raw ?? "", answers),
        };
        if (round === 0) continue;
        peers.push(times.raw);
        ours.push(times.own);
        bare.push(times.bare);
      }
    }
    return results.flatMap(({ figure, ours, peers, bare }) => rowsOf(figure, ours, peers, bare));
  },
};

/** Times in ms of the query and its JSON, inside of the raw server's process. */
async function measureBare(rawUrl: string, page: string, runs: number): Promise<number[]> {
  const response = await fetch(`${rawUrl}/in-process${page.slice(1)}&runs=${runs}`);
  return v.parse(v.array(v.number()), await response.json());
}

async function planPages(
  hub: RunningHub,
  big: { cameraIds: string[]; startTimeMs: number; endTimeMs: number },
) {
  const spreadOver = Array.from({ length: places }, (_, i) => (i + 1) / (places + 1));
  const { startTimeMs, endTimeMs, cameraIds } = big;
  const camera = (i: number) => cameraIds[i % cameraIds.length] ?? "";
  const query = `limit=${pageSize}`;

  /** The page after the one that ends at a time, so that it begins with a cursor as people's do. */
  const pageAfter = async (cameraId: string | undefined, timeMs: number): Promise<Page> => {
    const conditions = `${cameraId === undefined ? "" : `camera_id=${cameraId}&`}to=${new Date(timeMs).toISOString()}&${query}`;
    const { videos, next_cursor } = await listPage(hub, `/api/videos?${conditions}`);
    const last = videos.at(-1);
    if (!last || !next_cursor) throw new Error(`no page after ${conditions}`);
    const key = `start=${Date.parse(last.start_time)}&id=${last.video_id}&${query}`;
    return {
      hub: `/api/videos?${conditions}&cursor=${encodeURIComponent(next_cursor)}`,
      raw: `/?${cameraId === undefined ? "" : `camera=${cameraId}&`}${key}`,
    };
  };
  // Not the oldest tenth: there has to be a page before and after.
  const timeAt = (share: number) => endTimeMs - share * 0.5 * (endTimeMs - startTimeMs);
  return [
    {
      figure: "newest of one camera",
      pages: cameraIds.map((id) => ({
        hub: `/api/videos?camera_id=${id}&${query}`,
        raw: `/?camera=${id}&${query}`,
      })),
    },
    {
      figure: "one camera, by cursor, anywhere",
      pages: await Promise.all(spreadOver.map((share, i) => pageAfter(camera(i), timeAt(share)))),
    },
    {
      figure: "all cameras, by cursor, anywhere",
      pages: await Promise.all(spreadOver.map((share) => pageAfter(undefined, timeAt(share)))),
    },
  ];
}

async function listPage(hub: RunningHub, path: string) {
  const response = await fetch(`${hub.url}${path}`, { headers: authorization(hub) });
  if (!response.ok) throw new Error(`${path} answered ${response.status}: ${await response.text()}`);
  return v.parse(Listed, await response.json());
}

/** Both servers do the same work, or the comparison is worth nothing. */
async function checkSame(hub: RunningHub, rawUrl: string, pages: readonly Page[]): Promise<void> {
  for (const page of pages) {
    const ours = (await listPage(hub, page.hub)).videos;
    const raw = v.parse(Listed, await (await fetch(`${rawUrl}${page.raw}`)).json()).videos;
    if (ours.length !== pageSize)
      throw new Error(`${ours.length} videos instead of ${pageSize} in ${page.hub}`);
    if (!isDeepStrictEqual(ours, raw)) {
      // Most likely the API got a field that raw-list-server.ts has not.
      const first = JSON.stringify({ hub: ours[0], raw: raw[0] });
      throw new Error(`hub and raw SQLite answer differently to ${page.hub}: ${first}`);
    }
  }
}

const authorization = (hub: RunningHub) => ({ authorization: `Bearer ${hub.clientKey}` });

function rowsOf(figure: string, ours: number[][], peers: number[][], bare: number[][]): Row[] {
  const at = (rounds: number[][], share: number) => rounds.map((times) => percentile(times, share));
  const name = "raw SQLite behind Bun.serve";
  return [
    {
      figure: `${figure}: p50`,
      ours: at(ours, 0.5),
      unit: "ms",
      peer: { name, values: at(peers, 0.5) },
      goal: { of: "ratio", is: "at_most", value: 2.5 },
      note: "Both answer the same JSON over one connection; the hub also checks the key and the query, and signs a cursor.",
    },
    { figure: `${figure}: p99`, ours: at(ours, 0.99), unit: "ms", peer: { name, values: at(peers, 0.99) } },
    {
      figure: `${figure}: p50`,
      ours: at(ours, 0.5),
      unit: "ms",
      peer: { name: "raw SQLite in process, no HTTP", values: at(bare, 0.5) },
    },
  ];
}

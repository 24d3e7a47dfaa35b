import { Hono } from "hono";
import * as v from "valibot";
import {
  type AnnouncedVideo,
  AnnounceRequest,
  type AnnounceResult,
} from "../../src/common/protocol/announce.ts";
import { BookmarkRequest } from "../../src/common/protocol/bookmark.ts";
import { GapReport, type ReportedGap } from "../../src/common/protocol/gap.ts";
import { HeartbeatRequest, RegisterRequest } from "../../src/common/protocol/node.ts";

export interface FakeHub extends AsyncDisposable {
  url: string;
  /** Answers in place of the hub while it is set. */
  fault: ((request: Request) => Response | undefined | Promise<Response | undefined>) | undefined;
  /** By id, as announced first. */
  videos: Map<string, v.InferOutput<typeof AnnouncedVideo>>;
  /** Ids of each announce request, in order, also of those that a fault answered. */
  announces: string[][];
  /** By id, as reported first. */
  gaps: Map<string, v.InferOutput<typeof ReportedGap>>;
  /** By node. */
  bookmarks: Map<string, string>;
  /** Of the hub since its start; change it to be one that was started again. */
  session: string;
  registrations: v.InferOutput<typeof RegisterRequest>[];
  heartbeats: v.InferOutput<typeof HeartbeatRequest>[];
  archiveId: string | null;
  heartbeatIntervalSeconds: number;
  /** Nodes that have registered; clear it to be a hub that was restored. */
  known: Set<string>;
}

export const fakeHubKey = "lck_test_secret";

/** A hub that speaks the protocol by its own schemas and can be made to misbehave. */
export function startFakeHub(): FakeHub {
  const app = new Hono();
  const hub: FakeHub = {
    url: "",
    fault: undefined,
    videos: new Map(),
    announces: [],
    gaps: new Map(),
    bookmarks: new Map(),
    session: crypto.randomUUID(),
    registrations: [],
    heartbeats: [],
    archiveId: null,
    heartbeatIntervalSeconds: 10,
    known: new Set(),
    [Symbol.asyncDispose]: () => server.stop(true),
  };
  const now = () => new Date(0).toISOString();
  app.use(async (c, next) => {
    if (c.req.header("authorization") !== `Bearer ${fakeHubKey}`) return problem(401, "unauthorized");
    const answer = await hub.fault?.(c.req.raw);
    if (answer) return answer;
    await next();
  });
  app.post("/api/videos/announce", async (c) => {
    const { videos } = v.parse(AnnounceRequest, await c.req.json());
    hub.announces.push(videos.map(({ video_id }) => video_id));
    const results = videos.map((video): AnnounceResult => {
      const known = hub.videos.get(video.video_id);
      if (!known) {
        hub.videos.set(video.video_id, video);
        return { video_id: video.video_id, result: "stored" };
      }
      if (known.file_sha256 === video.file_sha256) return { video_id: video.video_id, result: "duplicate" };
      return { video_id: video.video_id, result: "conflict", known_sha256: known.file_sha256 };
    });
    return c.json({ results }, results.some(({ result }) => result === "conflict") ? 409 : 200);
  });
  app.post("/api/nodes/register", async (c) => {
    const registration = v.parse(RegisterRequest, await c.req.json());
    hub.registrations.push(registration);
    hub.known.add(registration.node_id);
    const { node_id } = registration;
    return c.json({
      node_id,
      archive_id: hub.archiveId,
      heartbeat_interval_seconds: hub.heartbeatIntervalSeconds,
      server_time: now(),
    });
  });
  app.post("/api/nodes/:id/gaps", async (c) => {
    const { gaps } = v.parse(GapReport, await c.req.json());
    const fresh = gaps.filter(({ gap_id }) => !hub.gaps.has(gap_id));
    for (const gap of fresh) hub.gaps.set(gap.gap_id, gap);
    return c.json({ stored: fresh.length, known: gaps.length - fresh.length });
  });
  app.post("/api/nodes/:id/bookmark", async (c) => {
    const { move } = v.parse(BookmarkRequest, await c.req.json());
    const nodeId = c.req.param("id");
    const isThere = (hub.bookmarks.get(nodeId) ?? null) === move?.from;
    if (move && isThere && move.session === hub.session) hub.bookmarks.set(nodeId, move.to);
    return c.json({ session: hub.session, bookmark: hub.bookmarks.get(nodeId) ?? null });
  });
  app.post("/api/nodes/:id/heartbeat", async (c) => {
    hub.heartbeats.push(v.parse(HeartbeatRequest, await c.req.json()));
    const registered = hub.known.has(c.req.param("id"));
    return c.json({ registered, archive_id: hub.archiveId, server_time: now() });
  });
  const server = Bun.serve({ hostname: "127.0.0.1", port: 0, fetch: app.fetch });
  hub.url = server.url.origin;
  return hub;
}

export function problem(status: number, code: string, headers: Record<string, string> = {}): Response {
  const body = { type: "about:blank", title: code, status, code };
  return Response.json(body, { status, headers: { ...headers, "content-type": "application/problem+json" } });
}

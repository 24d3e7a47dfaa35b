import { Hono } from "hono";
import * as v from "valibot";
import type { Clock } from "../../common/clock.ts";
import { AppError } from "../../common/errors.ts";
import { CameraId } from "../../common/ids.ts";
import type { Logger } from "../../common/log.ts";
import { allow } from "../http/access.ts";
import type { AppEnv, Principal } from "../http/app-env.ts";
import { describe } from "../http/describe.ts";
import { upgradeRequired } from "../http/upgrade-required.ts";
import { validParam } from "../http/validate.ts";
import { LiveSocket } from "./live-socket.ts";
import type { WatchableCameras } from "./live-viewer.ts";

export interface LiveRoutesOptions {
  cameras: WatchableCameras;
  /** Throws `not_found`. */
  checkCamera: (cameraId: string) => Promise<void>;
  /** Who a request is of, as of now; undefined for nobody. */
  principalOf: (request: Request) => Promise<Principal | undefined>;
  /** Whether a request comes from one of our own pages. */
  isOwnPage: (request: Request) => boolean;
  clock: Clock;
  logger: Logger;
}

const maxViewers = 500;

/** Cameras as they are now, for whoever may read. */
export function createLiveRoutes(options: LiveRoutesOptions) {
  const { cameras, checkCamera, principalOf, isOwnPage, clock, logger } = options;
  let viewers = 0;
  return new Hono<AppEnv>().get(
    "/api/cameras/:id/live",
    allow("read"),
    describe({
      tag: "Cameras",
      summary: "What a camera gives now",
      description:
        'A WebSocket. It says `{"type":"init","codecs","width","height"}` as text, then the init segment and each ' +
        "fragment of an MP4 (ISO/IEC 14496-12) as a binary message, and all of it again when a new run begins; " +
        '`{"type":"stopped"}` while the camera is paused, `{"type":"away","detail"}` while the node cannot be asked. A viewer that is slow misses fragments.',
      problems: [400, 404, 426, 503],
      also: { 101: { description: "Switching to WebSocket." } },
    }),
    validParam(v.object({ id: CameraId })),
    async (c) => {
      const { id } = c.req.valid("param");
      const { raw } = c.req;
      if (c.req.header("upgrade")?.toLowerCase() !== "websocket") return upgradeRequired();
      // Browsers open WebSockets of any site with our cookie, and tell from where.
      if (c.var.principal.kind === "person" && !isOwnPage(raw)) {
        throw new AppError("forbidden", "the request comes from another site");
      }
      await checkCamera(id);
      if (viewers >= maxViewers) throw new AppError("unavailable", `${maxViewers} people watch already`);
      const socket = new LiveSocket({
        ...{ cameraId: id, cameras, clock, logger },
        isAllowed: async () => ["person", "client"].includes((await principalOf(raw))?.kind ?? ""),
        onClosed: () => viewers--,
      });
      if (!c.env.upgrade(raw, socket)) return upgradeRequired();
      viewers++;
      return new Response(null);
    },
  );
}

import { AppError } from "../../common/errors.ts";
import { checkInput } from "../../common/input-issues.ts";
import { footageLimits } from "../../common/protocol/footage.ts";
import {
  type LinkMethodName,
  type LinkParams,
  type LinkResult,
  linkMethods,
} from "../../common/protocol/link-methods.ts";
import type { CameraWatcher } from "../camera/camera-watcher.ts";
import type { CameraSettings, ControlledCamera, ControlledNode } from "../control/controlled-node.ts";
import type { LiveFeed } from "./live-feed.ts";
import type { PartTurns } from "./part-turns.ts";

/** What a request is answered with: a value, the bytes of a picture, or those of a segment from `start` on. */
export type LinkAnswer =
  | { result: unknown }
  | { jpeg: Uint8Array<ArrayBuffer>; cameraId: string }
  | { part: Uint8Array<ArrayBuffer>; videoId: string; start: number };

export interface LinkCommands {
  /** Names of what can be asked. */
  readonly methods: readonly string[];
  /** Throws `not_supported` for what this release cannot, `invalid_input`, and what the verb throws. */
  run(method: string, params: unknown, context: LinkContext): Promise<LinkAnswer>;
  /** Throws `not_found`. */
  watch(cameraId: string, watcher: CameraWatcher): () => void;
}

/** Of the connection that a request came by. */
export interface LinkContext {
  /** Ends at the request's deadline, and with the connection. */
  signal: AbortSignal;
  live: Pick<LiveFeed, "start" | "stop">;
  parts: PartTurns;
}

type Verbs = { [M in LinkMethodName]: (params: LinkParams<M>, context: LinkContext) => Promise<LinkAnswer> };

const defaultListed = 200;

const changes = new Set<LinkMethodName>(["pause", "resume", "configure", "cancel_upload", "retry_upload"]);

/** The verbs of the control socket, as the hub may use them. `onChanged` hears when the node is not as it was. */
export function createLinkCommands(node: ControlledNode, onChanged: () => void): LinkCommands {
  const verbs = verbsOf(node);
  return {
    methods: Object.keys(verbs),
    watch: (cameraId, watcher) => cameraOf(node, cameraId).watch(watcher),
    async run(method, params = {}, context) {
      if (!Object.hasOwn(verbs, method)) {
        throw new AppError("not_supported", `this release of livecam-edge has no ${JSON.stringify(method)}`);
      }
      const name = method as LinkMethodName;
      const checked = checkInput(linkMethods[name].params, params);
      if (!checked.ok)
        throw new AppError("invalid_input", "not valid for this request", { issues: checked.issues });
      const answer = await verbs[name](checked.output as never, context);
      if (changes.has(name)) onChanged();
      return answer;
    },
  };
}

function verbsOf(node: ControlledNode): Verbs {
  const found = (isFound: boolean): LinkAnswer => {
    if (!isFound) throw new AppError("not_found", "no such segment waits to be uploaded");
    return done;
  };
  return {
    status: async () => answer<"status">(await node.status()),
    async pause(params) {
      await cameraOf(node, params.camera_id).pause();
      return done;
    },
    async resume(params) {
      await cameraOf(node, params.camera_id).resume();
      return done;
    },
    async configure(params) {
      await cameraOf(node, params.camera_id).configure(settingsOf(params.settings));
      return done;
    },
    async snapshot({ camera_id }, { signal }) {
      return { jpeg: await cameraOf(node, camera_id).snapshot(signal), cameraId: camera_id };
    },
    async watch({ camera_id }, { live }) {
      live.start(camera_id);
      return done;
    },
    async unwatch({ camera_id }, { live }) {
      live.stop(camera_id);
      return done;
    },
    async uploads({ limit = defaultListed }) {
      const uploads = node.uploads();
      return answer<"uploads">({ uploads: uploads.slice(0, limit), total: uploads.length });
    },
    cancel_upload: async ({ video_id }) => found(node.cancelUpload(video_id)),
    retry_upload: async ({ video_id }) => found(node.retryUpload(video_id)),
    async prioritise_upload({ video_id }) {
      return found(await node.footage.prioritise(video_id));
    },
    segments: async ({
      camera_id: cameraId,
      from: fromMs,
      to: toMs,
      after,
      limit = footageLimits.segments,
    }) => answer<"segments">(await node.footage.list({ cameraId, fromMs, toMs, after, limit })),
    segment_index: async ({ video_id, first_fragment = 0 }, { signal }) =>
      answer<"segment_index">(await node.footage.index(video_id, first_fragment, signal)),
    async read_segment({ video_id: videoId, start, end }, { signal, parts }) {
      const part = await parts.take(() => node.footage.read(videoId, { start, end }, signal), signal);
      return { part, videoId, start };
    },
    check_archive: async () => answer<"check_archive">(await node.checkArchive()),
    async get_config() {
      const { text, version: config_version } = await node.readConfig();
      return answer<"get_config">({ text, config_version });
    },
    reload: async () => answer<"reload">(await node.reload()),
    apply_config: async ({ text, expected_version }) =>
      answer<"apply_config">(await node.applyConfig(text, expected_version)),
  };
}

function cameraOf(node: ControlledNode, cameraId: string): ControlledCamera {
  const camera = node.camera(cameraId);
  if (!camera) throw new AppError("not_found", "this node has no camera of that id");
  return camera;
}

const done: LinkAnswer = { result: {} };

function answer<M extends LinkMethodName>(result: LinkResult<M>): LinkAnswer {
  return { result };
}

function settingsOf(settings: LinkParams<"configure">["settings"]): CameraSettings {
  const { width, height, fps, bitrate_bps: bitrateBps } = settings;
  return {
    ...(width !== undefined && { width }),
    ...(height !== undefined && { height }),
    ...(fps !== undefined && { fps }),
    ...(bitrateBps !== undefined && { bitrateBps }),
  };
}

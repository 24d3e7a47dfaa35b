import * as v from "valibot";
import { AppError, errorCodeOf } from "../../common/errors.ts";
import type { Logger } from "../../common/log.ts";
import type { LinkFrame } from "../../common/protocol/link-frame.ts";
import {
  type LinkMethodName,
  type LinkParams,
  type LinkResult,
  linkMethods,
} from "../../common/protocol/link-methods.ts";
import type { Asker } from "../http/asker.ts";
import type { NodeLinks } from "./node-links.ts";
import type { RemoteNodes } from "./remote-nodes.ts";

export interface RemoteNodesOptions {
  links: Pick<NodeLinks, "request" | "stateOf">;
  /** Throws `not_found`. */
  nodeOfCamera: (cameraId: string) => Promise<string>;
  /** Throws `not_found`. */
  checkNode: (nodeId: string) => Promise<void>;
  logger: Logger;
  /** Instead of each method's own. */
  deadlineMs?: number | undefined;
}

/** What only looks is told in debug level. */
const looks = new Set<LinkMethodName>(["status", "snapshot", "uploads", "get_config", "check_archive"]);

export function createRemoteNodes(options: RemoteNodesOptions): RemoteNodes {
  const { links, nodeOfCamera, checkNode, logger } = options;

  const ask = async <M extends LinkMethodName>(
    nodeId: string,
    method: M,
    params: LinkParams<M>,
    asker: Asker,
  ): Promise<unknown> => {
    const { deadlineMs } = linkMethods[method];
    const level = looks.has(method) ? "debug" : "info";
    const { camera_id, video_id } = params as { camera_id?: string; video_id?: string };
    const what = {
      method,
      node_id: nodeId,
      camera_id,
      video_id,
      who: asker.who,
      request_id: asker.requestId,
    };
    try {
      const answer = await links.request(nodeId, method, params, options.deadlineMs ?? deadlineMs);
      logger[level]("a node did what it was asked", what);
      return answer;
    } catch (error) {
      logger[level]("a node did not do what it was asked", { ...what, code: errorCodeOf(error) });
      throw error;
    }
  };
  const askFor = async <M extends LinkMethodName>(
    nodeId: string,
    method: M,
    params: LinkParams<M>,
    asker: Asker,
  ): Promise<LinkResult<M>> => {
    const answer = await ask(nodeId, method, params, asker);
    if (v.is(linkMethods[method].result as v.GenericSchema, answer)) return answer as LinkResult<M>;
    throw new AppError("unavailable", `node ${nodeId} answers in another way: is it of another release?`);
  };
  const ofCamera = async <M extends "pause" | "resume" | "configure">(
    method: M,
    params: LinkParams<M>,
    asker: Asker,
  ): Promise<void> => {
    await askFor(await nodeOfCamera(params.camera_id), method, params, asker);
  };
  const ofNode = async <M extends LinkMethodName>(
    nodeId: string,
    method: M,
    params: LinkParams<M>,
    asker: Asker,
  ): Promise<LinkResult<M>> => {
    await checkNode(nodeId);
    return askFor(nodeId, method, params, asker);
  };

  return {
    stateOf: (nodeId) => links.stateOf(nodeId),
    pause: (camera_id, asker) => ofCamera("pause", { camera_id }, asker),
    resume: (camera_id, asker) => ofCamera("resume", { camera_id }, asker),
    configure: (camera_id, settings, asker) => ofCamera("configure", { camera_id, settings }, asker),
    async snapshot(camera_id, asker) {
      const nodeId = await nodeOfCamera(camera_id);
      return jpegOf(await ask(nodeId, "snapshot", { camera_id }, asker), camera_id, nodeId);
    },
    status: (nodeId, asker) => ofNode(nodeId, "status", {}, asker),
    uploads: (nodeId, limit, asker) => ofNode(nodeId, "uploads", { limit }, asker),
    async cancelUpload(nodeId, video_id, asker) {
      await ofNode(nodeId, "cancel_upload", { video_id }, asker);
    },
    async retryUpload(nodeId, video_id, asker) {
      await ofNode(nodeId, "retry_upload", { video_id }, asker);
    },
    checkArchive: (nodeId, asker) => ofNode(nodeId, "check_archive", {}, asker),
    applyConfig: (nodeId, push, asker) => ofNode(nodeId, "apply_config", push, asker),
    reload: (nodeId, asker) => ofNode(nodeId, "reload", {}, asker),
    config: (nodeId, asker) => ofNode(nodeId, "get_config", {}, asker),
  };
}

/** A picture that a browser is given as one has to be one. */
function jpegOf(answer: unknown, cameraId: string, nodeId: string): Uint8Array<ArrayBuffer> {
  const { header, payload } = (answer ?? {}) as Partial<LinkFrame>;
  const isJpeg = payload?.[0] === 0xff && payload[1] === 0xd8 && payload[2] === 0xff;
  if (payload && isJpeg && header?.type === "snapshot" && header.camera_id === cameraId) return payload;
  throw new AppError("unavailable", `node ${nodeId} did not answer with a picture of ${cameraId}`);
}

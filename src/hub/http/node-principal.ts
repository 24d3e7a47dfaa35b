import { AppError } from "../../common/errors.ts";
import type { Principal } from "./app-env.ts";

/** Throws `forbidden` when a node's key speaks for another node. */
export function checkSpeaksFor(principal: Principal, nodeId: string): void {
  if (principal.kind !== "node") throw new AppError("forbidden", "only the key of a node can say this");
  if (principal.nodeId !== undefined && principal.nodeId !== nodeId) {
    throw new AppError("forbidden", `this key is for node ${principal.nodeId}, not for ${nodeId}`);
  }
}

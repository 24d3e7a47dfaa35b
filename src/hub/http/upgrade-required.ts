import { problemOf, problemResponse } from "./problem-response.ts";

/** To a request for a WebSocket that asks for none (RFC 9110, 15.5.22). */
export function upgradeRequired(): Response {
  const detail = "this is a WebSocket (RFC 6455): ask for the upgrade";
  return problemResponse(problemOf({ status: 426, code: "upgrade_required", detail }), {
    upgrade: "websocket",
    connection: "Upgrade",
  });
}

import type { SocketEvents } from "./web-socket.ts";

/** Who sends a request. Set by the authentication before any route runs. */
export type Principal =
  | { kind: "anonymous" }
  /** An edge. `nodeId` is what its key is bound to; without one it speaks for any node. */
  | { kind: "node"; keyId: string; nodeId: string | undefined }
  /** A program that reads. */
  | { kind: "client"; keyId: string; name: string }
  | { kind: "person"; userId: number; name: string; role: Role };

export const roles = ["admin", "viewer"] as const;
export type Role = (typeof roles)[number];

/** What Hono knows of a request: `c.env` and `c.var`. */
export interface AppEnv {
  Bindings: {
    /** Address of the socket's other end; undefined when it is already closed. */
    addressOf(request: Request): string | undefined;
    /** Whether a request was answered to the last byte, or its client is gone: nothing is sent for it any more. */
    isOver(request: Request): boolean;
    /** Makes a WebSocket of a request; what is answered to it then goes nowhere. False for one that is no upgrade. */
    upgrade(request: Request, events: SocketEvents): boolean;
  };
  Variables: {
    principal: Principal;
    requestId: string;
    /** What the client gets, where that is not the status of the answer. */
    sentStatus?: number;
  };
}

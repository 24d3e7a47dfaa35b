import { AppError } from "../../common/errors.ts";
import type { LinkSocket } from "../../common/link-channel.ts";
import type { Secret } from "../../common/secret.ts";

export interface LinkTarget {
  /** `http://hub:8080`, with a path in front of `/api` where a proxy wants one. */
  hubUrl: string;
  apiKey: Secret;
}

export interface OpenLink {
  socket: LinkSocket;
  /** Calls back with every message from now on, those that came before included. */
  onData(listener: (data: string | Uint8Array<ArrayBuffer>) => void): void;
  /** Resolves when the connection is gone, however that came. */
  closed: Promise<{ code: number; reason: string }>;
}

/** Bun tells the status of a refused upgrade in its message alone. */
const refusedStatus = /Expected 101 status code: (\d{3})/;

/**
 * Opens the WebSocket of a node at its hub; the key goes into a header. Throws `unauthorized`, `forbidden`, `not_found`
 * (a hub without the link), `unavailable`, `timeout`, `cancelled`.
 */
export async function openLink(
  { hubUrl, apiKey }: LinkTarget,
  nodeId: string,
  { timeoutMs, signal }: { timeoutMs: number; signal: AbortSignal },
): Promise<OpenLink> {
  const url = `${hubUrl.replace(/^http/, "ws").replace(/\/+$/, "")}/api/nodes/${nodeId}/link`;
  const webSocket = new WebSocket(url, {
    headers: { authorization: `Bearer ${apiKey.reveal()}` },
    // Small messages get no smaller by it, pictures neither, and nothing can be blown up.
    perMessageDeflate: false,
  });
  webSocket.binaryType = "arraybuffer";

  const closed = Promise.withResolvers<{ code: number; reason: string }>();
  let listener: ((data: string | Uint8Array<ArrayBuffer>) => void) | undefined;
  const early: (string | Uint8Array<ArrayBuffer>)[] = [];
  webSocket.addEventListener("message", ({ data }: { data: unknown }) => {
    const received = typeof data === "string" ? data : new Uint8Array(data as ArrayBuffer);
    if (listener) listener(received);
    else early.push(received);
  });
  let failure = "";
  webSocket.addEventListener("error", (event) => {
    failure = (event as { message?: string }).message ?? "";
  });
  webSocket.addEventListener("close", ({ code, reason }) => closed.resolve({ code, reason }));

  const opened = new Promise<true>((resolve) => webSocket.addEventListener("open", () => resolve(true)));
  const deadline = AbortSignal.any([AbortSignal.timeout(timeoutMs), signal]);
  const giveUp = () => webSocket.terminate();
  deadline.addEventListener("abort", giveUp, { once: true });
  if (deadline.aborted) giveUp();
  const isOpen = (await Promise.race([opened, closed.promise])) === true;
  deadline.removeEventListener("abort", giveUp);
  if (!isOpen) {
    if (signal.aborted) throw new AppError("cancelled", "the link is not wanted any more");
    if (deadline.aborted)
      throw new AppError("timeout", `the hub did not take the link within ${timeoutMs} ms`);
    throw refusal(failure);
  }
  return {
    socket: {
      send: (data) => webSocket.send(data),
      bufferedBytes: () => webSocket.bufferedAmount,
      close: (code, reason) => webSocket.close(code, reason),
      terminate: () => webSocket.terminate(),
    },
    onData(listen) {
      listener = listen;
      for (const data of early.splice(0)) listen(data);
    },
    closed: closed.promise,
  };
}

function refusal(message: string): AppError {
  const status = Number(refusedStatus.exec(message)?.[1]);
  switch (status) {
    case 401:
      return new AppError("unauthorized", "the hub does not take this node's key (401)");
    case 403:
      return new AppError("forbidden", "the hub does not let this node's key link (403)");
    case 404:
      return new AppError("not_found", "the hub has no link (404): is it of an older release?");
    default:
      if (status > 0)
        return new AppError("unavailable", `the hub answered ${status} instead of opening the link`);
      return new AppError("unavailable", "the hub cannot be reached");
  }
}

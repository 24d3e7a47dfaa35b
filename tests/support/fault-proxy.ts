import { connect, createServer, type Socket } from "node:net";

/** What the way to a server does in place of carrying bytes. */
export type ConnectionFault =
  /** Connections are reset as soon as something is sent. */
  | { kind: "reset" }
  /** Taken, and never answered. */
  | { kind: "silence" }
  /** Answers with these bytes whatever is asked, and closes. */
  | { kind: "answer"; bytes: string }
  /** The server gets the request; of its answer so many bytes come through, then the connection is reset. */
  | { kind: "cut"; afterBytes: number }
  /** As `cut`, but the connection stays open and says nothing more. */
  | { kind: "half"; afterBytes: number };

/** The address of a server that may be stopped and started elsewhere, and whose way can be made to fail. */
export interface FaultProxy extends AsyncDisposable {
  url: string;
  /** Port of the server on 127.0.0.1; undefined while there is none. */
  port: number | undefined;
  /** Holds for what is asked from now on; connections that are there are closed. */
  setFault(fault: ConnectionFault | undefined): void;
  /** Requests that a fault was in the way of. */
  faults: number;
}

export async function startFaultProxy(): Promise<FaultProxy> {
  const sockets = new Set<Socket>();
  let fault: ConnectionFault | undefined;
  const open = (socket: Socket) => {
    sockets.add(socket);
    socket.on("error", () => undefined).on("close", () => sockets.delete(socket));
    return socket;
  };
  const server = createServer((near) => {
    open(near);
    const { port } = proxy;
    if (fault && fault.kind !== "cut" && fault.kind !== "half") {
      near.once("data", () => spoil(near, fault));
      return;
    }
    if (port === undefined) return near.destroy();
    const far = open(connect(port, "127.0.0.1"));
    const ending = fault;
    near.pipe(far);
    near.on("close", () => far.destroy());
    far.on("close", () => ending?.kind !== "half" && near.destroy());
    if (!ending) return far.pipe(near);
    proxy.faults++;
    let left = ending.afterBytes;
    far.on("data", (chunk: Buffer) => {
      const part = chunk.subarray(0, left);
      left -= part.length;
      if (part.length > 0) near.write(part);
      if (left === 0 && ending.kind === "cut") near.resetAndDestroy();
    });
  });
  const spoil = (near: Socket, now: ConnectionFault | undefined) => {
    proxy.faults++;
    if (now?.kind === "reset") near.resetAndDestroy();
    if (now?.kind === "answer") near.end(now.bytes);
  };
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  if (typeof address !== "object" || address === null) throw new Error("the proxy has no port");
  const proxy: FaultProxy = {
    url: `http://127.0.0.1:${address.port}`,
    port: undefined,
    faults: 0,
    setFault(next) {
      fault = next;
      for (const socket of sockets) socket.destroy();
    },
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  return proxy;
}

/** An answer in HTTP/1.1, `headers` without line ends. */
export function httpAnswer(status: number, body: string, headers: readonly string[] = []): string {
  const lines = [`HTTP/1.1 ${status} X`, ...headers, `content-length: ${Buffer.byteLength(body)}`];
  return `${[...lines, "connection: close"].join("\r\n")}\r\n\r\n${body}`;
}

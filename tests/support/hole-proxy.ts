import { connect, createServer, type Socket } from "node:net";

export interface HoleProxy extends AsyncDisposable {
  port: number;
  /** Where new connections go. */
  target: number;
  /** While true, what comes in on either side goes nowhere, and nobody is told: a router that lost its table. */
  isBlackHole: boolean;
  /** Connections made so far. */
  connections: number;
  /** What those who connected have sent so far. */
  bytesUp: number;
}

/** A TCP proxy on a port of its own that can fall silent. */
export async function startHoleProxy(target: number): Promise<HoleProxy> {
  const sockets = new Set<Socket>();
  const server = createServer((near) => {
    proxy.connections++;
    const far = connect(proxy.target, "127.0.0.1");
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(from);
      from.on("error", () => undefined);
      from.on("data", (data) => {
        if (from === near) proxy.bytesUp += data.length;
        if (!proxy.isBlackHole) to.write(data);
      });
      from.on("close", () => {
        sockets.delete(from);
        if (!proxy.isBlackHole) to.destroy();
      });
    }
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  if (typeof address !== "object" || address === null) throw new Error("the proxy has no port");
  const proxy: HoleProxy = {
    port: address.port,
    target,
    isBlackHole: false,
    connections: 0,
    bytesUp: 0,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  return proxy;
}

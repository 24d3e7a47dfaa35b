import { createServer } from "node:net";

/** Below those that Linux gives to whoever asks for any, and to connections (32768 and up): nobody gets one by chance. */
const ports = { from: 20_000, count: 12_000 };

/** A port of 127.0.0.1 that nobody has now, and that the kernel gives to nobody. */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = ports.from + Math.floor(Math.random() * ports.count);
    if (await isFree(port)) return port;
  }
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer();
  const isOurs = await new Promise<boolean>((resolve) => {
    server.once("error", () => resolve(false));
    server.listen(port, () => resolve(true));
  });
  if (isOurs) await new Promise((resolve) => server.close(resolve));
  return isOurs;
}

/** Whether somebody listens there, on 127.0.0.1. */
export async function takesConnections(port: number): Promise<boolean> {
  try {
    const socket = await Bun.connect({ hostname: "127.0.0.1", port, socket: { data() {} } });
    socket.end();
    return true;
  } catch {
    return false;
  }
}

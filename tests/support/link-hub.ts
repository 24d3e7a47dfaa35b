import { Wakeup } from "../../src/common/wakeup.ts";

type Json = Record<string, unknown>;

/** The hub's end of links, without a hub: says what a test tells it to, and keeps what it hears. */
export interface LinkHub extends AsyncDisposable {
  url: string;
  /** Authorization and path of each connection. */
  connections: { authorization: string | null; path: string; atMs: number }[];
  heard: Json[];
  frames: Uint8Array[];
  closes: { code: number; reason: string }[];
  /** Answers in place of the upgrade while it is set. */
  refusal: (() => Response) | undefined;
  /** Said to each hello; undefined says nothing. */
  welcome: Json | undefined;
  send(message: Json | string | Uint8Array<ArrayBuffer>): void;
  close(code: number, reason: string): void;
  /** Resolves when `look` finds something. */
  until<T>(look: () => T | undefined, what: string): Promise<T>;
  /** The answer to that request. */
  answer(id: string): Promise<Json>;
}

export function startLinkHub(): LinkHub {
  const news = new Wakeup();
  let socket: Bun.ServerWebSocket<undefined> | undefined;
  const server = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    fetch(request, self) {
      const { pathname } = new URL(request.url);
      const authorization = request.headers.get("authorization");
      hub.connections.push({ authorization, path: pathname, atMs: performance.now() });
      news.wake();
      if (hub.refusal) return hub.refusal();
      return self.upgrade(request) ? undefined : new Response(null, { status: 400 });
    },
    websocket: {
      maxPayloadLength: 64 * 1024 * 1024,
      open(ws) {
        socket = ws;
      },
      message(_ws, data) {
        if (typeof data !== "string") hub.frames.push(new Uint8Array(data));
        else {
          const message = JSON.parse(data) as Json;
          hub.heard.push(message);
          if (message.type === "hello" && hub.welcome) hub.send(hub.welcome);
        }
        news.wake();
      },
      close(_ws, code, reason) {
        hub.closes.push({ code, reason });
        news.wake();
      },
    },
  });
  const hub: LinkHub = {
    url: `http://127.0.0.1:${server.port}`,
    connections: [],
    heard: [],
    frames: [],
    closes: [],
    refusal: undefined,
    welcome: {
      type: "welcome",
      link_version: 1,
      software_version: "test",
      server_time: "2025-09-23T06:00:00.000Z",
      ping_seconds: 10,
    },
    send: (message) => {
      const isRaw = typeof message === "string" || message instanceof Uint8Array;
      socket?.send(isRaw ? message : JSON.stringify(message));
    },
    close: (code, reason) => socket?.close(code, reason),
    async until(look, what) {
      const deadline = AbortSignal.timeout(50_000);
      for (;;) {
        const found = look();
        if (found !== undefined) return found;
        if (deadline.aborted)
          throw new Error(`waited for ${what}; heard ${JSON.stringify(hub.heard.slice(-20))}`);
        // What is looked at may be the other end's.
        await news.wait(deadline, 10);
      }
    },
    answer: (id) =>
      hub.until(
        () => hub.heard.find((message) => message.type === "response" && message.id === id),
        `the answer to ${id}`,
      ),
    [Symbol.asyncDispose]: () => server.stop(true),
  };
  return hub;
}

import type { Hono } from "hono";
import { sleep } from "../../common/clock.ts";
import { AppError } from "../../common/errors.ts";
import type { AppEnv } from "./app-env.ts";
import { problemOf, problemResponse } from "./problem-response.ts";
import type { HubSocket, SocketEvents } from "./web-socket.ts";

/** Requests in flight at the end get so long; a paused player would hold the hub for ever. */
const farewellMs = 5_000;

export interface RunningServer extends AsyncDisposable {
  url: string;
}

/** Every message goes to whoever upgraded the request. */
const websocket: Bun.WebSocketHandler<SocketEvents> = {
  // One picture, or one fragment of video, of any camera.
  maxPayloadLength: 8 * 1024 * 1024,
  // What is sent to an end that does not read; those who send look at `bufferedBytes` long before.
  backpressureLimit: 32 * 1024 * 1024,
  closeOnBackpressureLimit: true,
  perMessageDeflate: false,
  open: (ws) => ws.data.open(socketOf(ws)),
  message: (ws, message) =>
    ws.data.message(
      typeof message === "string"
        ? message
        : new Uint8Array(message.buffer, message.byteOffset, message.byteLength),
    ),
  close: (ws, code, reason) => ws.data.close(code, reason),
  error: (error, ws) => ws.data.failed(error),
};

function socketOf(ws: Bun.ServerWebSocket<SocketEvents>): HubSocket {
  return {
    send: (data) => void ws.send(data),
    bufferedBytes: () => ws.getBufferedAmount(),
    close: (code, reason) => ws.close(code, reason),
    terminate: () => ws.terminate(),
  };
}

function badHost(): Response {
  return problemResponse(
    problemOf({ status: 400, code: "invalid_input", detail: "the Host header is not valid" }),
  );
}

/** Listens. Throws `already_running` when the port is taken, `io` when the address is not ours. */
export function serveApp(
  app: Hono<AppEnv>,
  listen: { hostname: string; port: number; idleTimeoutSeconds?: number },
): RunningServer {
  // Bun's default of 10 s ends slow uploads and paused players.
  const { hostname, port, idleTimeoutSeconds = 120 } = listen;
  let server: Bun.Server<SocketEvents>;
  try {
    server = Bun.serve({
      hostname,
      port,
      idleTimeout: idleTimeoutSeconds,
      // Routes have their own, smaller limits, which answer with a problem.
      maxRequestBodySize: 16 * 1024 * 1024,
      // Else Bun answers and prints errors in its own way unless NODE_ENV says production.
      development: false,
      // Which development: false turns on: a second hub would get half of the connections.
      reusePort: false,
      // With a Host that is none, Bun leaves the address without its beginning.
      fetch: (request) => (request.url.startsWith("http") ? app.fetch(request, env) : badHost()),
      websocket,
      // The app answers its own errors; what is left are files that vanished before Bun could open them.
      error: () =>
        problemResponse(problemOf({ status: 503, code: "unavailable", detail: "the file cannot be opened" })),
    });
  } catch (cause) {
    const where = `${hostname}:${port}`;
    if (cause instanceof Error && "code" in cause && cause.code === "EADDRINUSE") {
      throw new AppError("already_running", `${where} is taken by another program`, { cause });
    }
    throw new AppError("io", `cannot listen on ${where}`, { cause });
  }
  const env: AppEnv["Bindings"] = {
    upgrade: (request, events) => server.upgrade(request, { data: events }),
    isOver: (request) => server.requestIP(request) === null,
    addressOf: (request) => server.requestIP(request)?.address.replace(/^::ffff:(?=\d+\.)/, ""),
  };
  const host = hostname.includes(":") ? `[${hostname}]` : hostname;
  return {
    url: `http://${host}:${server.port}`,
    async [Symbol.asyncDispose]() {
      const allAnswered = new AbortController();
      const farewell = sleep(farewellMs, allAnswered.signal).then(() => server.stop(true));
      await Promise.race([server.stop(), farewell]);
      allAnswered.abort();
    },
  };
}

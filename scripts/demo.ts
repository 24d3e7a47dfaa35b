import { randomBytes } from "node:crypto";
import { mkdir, mkdtemp, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { type DemoOptions, parseDemoOptions, usage } from "./demo-options.ts";
import { runToEnd, Service } from "./service.ts";

const root = resolve(import.meta.dir, "..");
const hub = [process.execPath, join(root, "src/hub/main.ts")];
const edge = [process.execPath, join(root, "src/edge/main.ts")];
const nodeId = "demo";
const userName = "demo";
/** A segment that is closed, uploaded and announced while the edge ends. */
const edgePatienceMs = 20_000;
const hubPatienceMs = 10_000;
const readyWithinMs = 60_000;

const say = (text: string) => process.stderr.write(`${text}\n`);

/** Where everything lies. Secrets are in files, readable by their owner only, never in argv. */
function layOut(data: string) {
  return {
    data,
    archive: join(data, "archive"),
    hubData: join(data, "hub"),
    spool: join(data, "spool"),
    logs: join(data, "logs"),
    secrets: join(data, "secrets"),
    nodeKey: join(data, "secrets", "node-key"),
    credentials: join(data, "secrets", "credentials.json"),
    edgeConfig: join(data, "edge.json"),
  };
}
type Layout = ReturnType<typeof layOut>;

/** A free port, or the one asked for when nobody has it. */
function claimPort(port: number): number {
  try {
    const listener = Bun.listen({ hostname: "127.0.0.1", port, socket: { data() {} } });
    const claimed = listener.port;
    listener.stop(true);
    return claimed;
  } catch (cause) {
    throw new Error(`port ${port} is taken by another program, or not ours to take; try --port 0`, { cause });
  }
}

interface Credentials {
  password: string;
  clientKey: string;
  nodeKey: string;
}

/** Those of the last demo over the same folder, or new ones, which the hub then knows. */
async function provideCredentials(layout: Layout): Promise<Credentials> {
  const file = Bun.file(layout.credentials);
  if (await file.exists()) return file.json();
  const hubArgs = ["--data", layout.hubData];
  const key = async (...args: string[]) =>
    JSON.parse(await runToEnd([...hub, "key", "create", ...args, "--json", ...hubArgs])).key as string;
  const password = randomBytes(12).toString("base64url");
  const users = JSON.parse(await runToEnd([...hub, "user", "list", "--json", ...hubArgs])) as {
    name: string;
  }[];
  const isKnown = users.some((user) => user.name === userName);
  const command = isKnown ? ["passwd", userName] : ["add", userName, "--role", "admin"];
  await runToEnd([...hub, "user", ...command, ...hubArgs], `${password}\n`);
  const credentials = {
    password,
    clientKey: await key("--client", "demo"),
    nodeKey: await key("--node", nodeId),
  };
  await writeFile(layout.nodeKey, credentials.nodeKey, { mode: 0o600 });
  await writeFile(layout.credentials, JSON.stringify(credentials), { mode: 0o600 });
  return credentials;
}

function edgeConfig(options: DemoOptions, layout: Layout, hubUrl: string) {
  // A unix socket's path has at most 107 bytes.
  const controlSocket = join(layout.data, "edge.sock");
  return {
    node_id: nodeId,
    cameras: Array.from({ length: options.cameras }, (_, index) => {
      const number = String(index + 1).padStart(2, "0");
      return { id: `cam${number}`, name: `Camera ${number}`, source: { type: "test", tone: index === 0 } };
    }),
    recording: { segment_seconds: options.segmentSeconds },
    upload: { destination: { type: "path", path: layout.archive } },
    network: { hub_url: hubUrl, api_key: { file: layout.nodeKey }, heartbeat_seconds: 2 },
    system: {
      spool_path: layout.spool,
      // A demonstration does not wait for the machine's NTP.
      clock: "trusted",
      control_socket: Buffer.byteLength(controlSocket) <= 107 ? controlSocket : null,
    },
  };
}

/** Asks until `isThere` says so; throws when that takes too long or `signal` aborts. */
async function waitFor(what: string, isThere: () => Promise<boolean>, signal: AbortSignal): Promise<void> {
  const deadline = performance.now() + readyWithinMs;
  while (performance.now() < deadline) {
    if (await isThere().catch(() => false)) return;
    signal.throwIfAborted();
    await Bun.sleep(50);
  }
  throw new Error(`${what} is not ready after ${readyWithinMs / 1000} s`);
}

const answers = (url: string, key?: string) =>
  fetch(url, {
    signal: AbortSignal.timeout(2_000),
    ...(key === undefined ? {} : { headers: { authorization: `Bearer ${key}` } }),
  });

/** What runs, in the order it was started. */
interface Run {
  services: Service[];
  /** Aborts at the first Ctrl-C. */
  signal: AbortSignal;
}

function startService(run: Run, name: string, argv: string[], logFile: string): Promise<never> {
  run.signal.throwIfAborted();
  const service = new Service(name, argv, logFile);
  run.services.push(service);
  return service.endedByItself;
}

async function startHub(run: Run, layout: Layout, port: number): Promise<string> {
  const listen = `127.0.0.1:${port}`;
  const argv = [...hub, "serve", "--listen", listen, "--data", layout.hubData, "--archive", layout.archive];
  const ended = startService(run, "hub", argv, join(layout.logs, "hub.log"));
  const isLive = async () => (await answers(`http://${listen}/api/health/live`)).ok;
  await Promise.race([waitFor("the hub", isLive, run.signal), ended]);
  return `http://${listen}`;
}

async function startEdge(run: Run, layout: Layout, hubUrl: string, clientKey: string): Promise<void> {
  startService(run, "edge", [...edge, "run", "--config", layout.edgeConfig], join(layout.logs, "edge.log"));
  const isOnline = async () => {
    const response = await answers(`${hubUrl}/api/nodes/status`, clientKey);
    const { nodes } = (await response.json()) as { nodes: { node_id: string; status: string }[] };
    return nodes.some((node) => node.node_id === nodeId && node.status === "online");
  };
  await Promise.race([
    waitFor("the edge", isOnline, run.signal),
    ...run.services.map((service) => service.endedByItself),
  ]);
}

/** Aborts at the first Ctrl-C or SIGTERM; the second does not wait for anything. */
function abortOnSignals(services: Service[]): AbortSignal {
  const controller = new AbortController();
  const onSignal = () => {
    if (controller.signal.aborted) {
      for (const service of services) service.kill();
      process.exit(130);
    }
    controller.abort();
  };
  for (const name of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(name, onSignal);
  return controller.signal;
}

/** Starts everything, says where it is, and then waits; always ends by throwing. */
async function record(run: Run, options: DemoOptions, layout: Layout, port: number): Promise<never> {
  await mkdir(layout.secrets, { recursive: true, mode: 0o700 });
  for (const dir of [layout.archive, layout.hubData, layout.spool, layout.logs]) {
    await mkdir(dir, { recursive: true });
  }
  const credentials = await provideCredentials(layout);
  const hubUrl = await startHub(run, layout, port);
  await Bun.write(layout.edgeConfig, JSON.stringify(edgeConfig(options, layout, hubUrl), null, 2));
  await startEdge(run, layout, hubUrl, credentials.clientKey);
  console.log(`Address: ${hubUrl}/`);
  console.log(`Login: ${userName} / ${credentials.password}`);
  console.log(`API key: ${credentials.clientKey}`);
  console.log(`Archive: ${layout.archive}`);
  say(`Logs are in ${layout.logs}. Ctrl-C ends everything.`);
  run.signal.throwIfAborted();
  const asked = new Promise<never>((_, reject) => {
    run.signal.addEventListener("abort", () => reject(run.signal.reason), { once: true });
  });
  return Promise.race([asked, ...run.services.map((service) => service.endedByItself)]);
}

async function runDemo(options: DemoOptions): Promise<number> {
  const services: Service[] = [];
  const signal = abortOnSignals(services);
  const port = claimPort(options.port);
  const layout = layOut(options.dataDir ?? (await mkdtemp(join(tmpdir(), "livecam-demo-"))));
  let exitCode = 0;
  try {
    await record({ services, signal }, options, layout, port);
  } catch (error) {
    if (!signal.aborted) {
      say(`demo: ${(error as Error).message}`);
      exitCode = 1;
    }
  }
  if (services.length === 0) return exitCode;
  say("demo: closing the segments");
  // The edge first: the hub then still hears of what it closes.
  for (const service of services.toReversed()) {
    const patienceMs = service.name === "edge" ? edgePatienceMs : hubPatienceMs;
    if (await service.stop(patienceMs)) continue;
    say(`demo: the ${service.name} did not end within ${patienceMs / 1000} s and was killed`);
    exitCode = 1;
  }
  say(`demo: ended; what was recorded stays in ${layout.data}`);
  return exitCode;
}

async function main(): Promise<number> {
  let options: DemoOptions | "help";
  try {
    options = parseDemoOptions(process.argv.slice(2));
  } catch (error) {
    say(`${(error as Error).message}\n\n${usage}`);
    return 2;
  }
  if (options === "help") {
    process.stdout.write(usage);
    return 0;
  }
  return runDemo(options);
}

try {
  process.exit(await main());
} catch (error) {
  say(`demo: ${(error as Error).message}`);
  process.exit(1);
}

import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import * as v from "valibot";
import { type Clock, systemClock } from "../../src/common/clock.ts";
import { formatSegmentIdentity } from "../../src/common/segment-identity.ts";
import type { ApiKeyKind } from "../../src/hub/auth/account-stores.ts";
import { newApiKey } from "../../src/hub/auth/api-key.ts";
import { Passwords } from "../../src/hub/auth/passwords.ts";
import { HubConfig } from "../../src/hub/config.ts";
import type { NewVideo } from "../../src/hub/db/catalog.ts";
import { type Hub, openHub } from "../../src/hub/hub.ts";
import { openStorage, type Storage } from "../../src/hub/storage.ts";

export const hubCommand = [process.execPath, resolve(import.meta.dir, "../../src/hub/main.ts")];
export const userName = "ada";
export const password = "correct horse";

/** A whole hub on a free port, over temp folders, with a user and keys. */
export interface TestHub extends AsyncDisposable {
  hub: Hub;
  url: string;
  folder: string;
  /** The same database, as the CLI would open it. */
  storage: Storage;
  clientKey: string;
  /** For any node. */
  nodeKey: string;
  makeKey(kind: ApiKeyKind, nodeId?: string): Promise<string>;
  /** With the client's key, unless `headers` says otherwise. */
  get(path: string, headers?: Record<string, string>): Promise<Response>;
  /** JSON with the given key. */
  post(path: string, body: unknown, key: string): Promise<Response>;
  announce(videos: readonly NewVideo[], key?: string): Promise<Response>;
  /** Signs in and answers with the cookie, `livecam_session=…`. */
  signIn(): Promise<string>;
}

export async function openTestHub(
  options: {
    config?: Partial<v.InferInput<typeof HubConfig>>;
    clock?: Clock;
    isMachineBusy?: () => boolean;
  } = {},
): Promise<TestHub> {
  await using stack = new AsyncDisposableStack();
  const folder = await mkdtemp(join(tmpdir(), "livecam-hub-"));
  stack.defer(() => rm(folder, { recursive: true, force: true }));
  await mkdir(join(folder, "archive"));
  const config = v.parse(HubConfig, {
    listen: "127.0.0.1:0",
    data_path: join(folder, "data"),
    archive_path: join(folder, "archive"),
    // Most tests announce videos that are not there.
    previews: "on_demand",
    ...options.config,
  });
  const { clock = systemClock, isMachineBusy } = options;
  const storage = stack.use(await openStorage(config.data_path, clock));
  const passwordHash = await hashOnce();
  await storage.users.add({ name: userName, passwordHash, role: "admin", createdAtMs: clock.wallMs() });
  const makeKey = async (kind: ApiKeyKind, nodeId?: string) => {
    const { text, key } = newApiKey({ kind, name: "test", nodeId: nodeId ?? null }, clock.wallMs());
    await storage.keys.add(key);
    return text;
  };
  const [clientKey, nodeKey] = [await makeKey("client"), await makeKey("node")];
  const hub = stack.use(await openHub({ config, selfCommand: hubCommand, clock, isMachineBusy }));
  const { url } = hub;

  const post = (path: string, body: unknown, key: string) =>
    fetch(url + path, {
      method: "POST",
      headers: { "content-type": "application/json", authorization: `Bearer ${key}` },
      body: typeof body === "string" ? body : JSON.stringify(body),
    });
  const resources = stack.move();
  return {
    hub,
    url,
    folder,
    storage,
    clientKey,
    nodeKey,
    makeKey,
    post,
    get: (path, headers = { authorization: `Bearer ${clientKey}` }) =>
      fetch(url + path, { headers, redirect: "manual" }),
    announce: (videos, key = nodeKey) => post("/api/videos/announce", announceOf(videos), key),
    async signIn() {
      const response = await fetch(`${url}/login`, {
        method: "POST",
        redirect: "manual",
        body: new URLSearchParams({ username: userName, password }),
      });
      const cookie = response.headers.getSetCookie()[0]?.split(";")[0];
      if (response.status !== 303 || cookie === undefined)
        throw new Error(`login answered ${response.status}`);
      return cookie;
    },
    [Symbol.asyncDispose]: () => resources.disposeAsync(),
  };
}

/** A person and two keys, in the data folder of a hub that is not running yet. */
export async function makeAccounts(
  data: string,
  nodeId = "node01",
): Promise<{ nodeKey: string; clientKey: string }> {
  await using storage = await openStorage(data, systemClock);
  const now = systemClock.wallMs();
  await storage.users.add({
    name: userName,
    passwordHash: await hashOnce(),
    role: "admin",
    createdAtMs: now,
  });
  const makeKey = async (kind: ApiKeyKind, forNode: string | null) => {
    const { text, key } = newApiKey({ kind, name: "test", nodeId: forNode }, now);
    await storage.keys.add(key);
    return text;
  };
  return { nodeKey: await makeKey("node", nodeId), clientKey: await makeKey("client", null) };
}

/** The body of an announce. */
export function announceOf(videos: readonly NewVideo[]) {
  return {
    protocol_version: 1,
    videos: videos.map((video) => ({
      ...formatSegmentIdentity(video),
      file_path: video.filePath,
      file_size: video.fileSizeBytes,
      file_sha256: video.fileSha256,
    })),
  };
}

let hash: Promise<string> | undefined;

/** argon2id is slow on purpose. */
function hashOnce(): Promise<string> {
  hash ??= new Passwords().hash(password);
  return hash;
}

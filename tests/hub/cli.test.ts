import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { runChild } from "../../src/common/child-process.ts";
import { sleep } from "../../src/common/clock.ts";
import { helpTexts } from "../../src/hub/cli-help.ts";
import { HubConfig, loadHubConfig } from "../../src/hub/config.ts";
import { startHubProcess } from "../support/hub-process.ts";
import { hubCommand } from "../support/test-hub.ts";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "livecam-cli-"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

async function cli(
  args: string[],
  input = "",
): Promise<{ exitCode: number | null; out: string; err: string }> {
  const result = await runChild({
    argv: [...hubCommand, ...args],
    stdin: new TextEncoder().encode(input),
    timeoutMs: 60_000,
  });
  return {
    exitCode: result.exitCode,
    out: new TextDecoder().decode(result.stdout),
    err: result.stderrTail,
  };
}

let count = 0;
const newData = () => join(folder, `data${++count}`);

describe("help and usage", () => {
  test("every command teaches", async () => {
    for (const command of [
      [],
      ["serve"],
      ["verify"],
      ["user"],
      ["user", "add"],
      ["key"],
      ["key", "create"],
    ]) {
      const { exitCode, out } = await cli([...command, "--help"]);
      expect([command, exitCode]).toEqual([command, 0]);
      expect(out).toContain("$ livecam-hub ");
      expect(out).not.toContain("archive-probe");
    }
  });

  test("wrong usage is exit code 2, in words", async () => {
    for (const args of [
      [],
      ["nonsense"],
      ["serve", "--port", "1"],
      ["user", "add"],
      ["user", "add", "x", "--role", "god"],
      ["key", "create", "--kind", "x"],
    ]) {
      const { exitCode, out, err } = await cli(args);
      expect([args, exitCode]).toEqual([args, args.length === 0 ? exitCode : 2]);
      expect(err + out).toContain("livecam-hub");
    }
  });

  test("version", async () => {
    expect((await cli(["version"])).out).toBe("livecam-hub 0.0.0-source (source)\n");
  });
});

describe("user", () => {
  test("add, list, passwd, remove", async () => {
    const data = newData();
    expect(
      await cli(["user", "add", "Anna", "--role", "admin", "--data", data], "long enough\n"),
    ).toMatchObject({
      exitCode: 0,
      out: "anna may sign in, as admin\n",
    });
    expect(await cli(["user", "add", "anna", "--data", data], "long enough")).toMatchObject({ exitCode: 1 });
    const file = join(folder, "password");
    await writeFile(file, "from a file\n");
    expect((await cli(["user", "add", "bob", "--password-file", file, "--data", data])).exitCode).toBe(0);
    const list = JSON.parse((await cli(["user", "list", "--json", "--data", data])).out);
    expect(list).toMatchObject([
      { name: "anna", role: "admin" },
      { name: "bob", role: "viewer" },
    ]);
    expect((await cli(["user", "list", "--data", data])).out).toMatch(/^name +role +created_at\nanna +admin/);
    expect((await cli(["user", "passwd", "anna", "--data", data], "another one\n")).exitCode).toBe(0);
    expect((await cli(["user", "passwd", "eve", "--data", data], "another one\n")).err).toContain(
      "no user eve",
    );
    expect((await cli(["user", "remove", "bob", "--data", data])).exitCode).toBe(0);
    expect(JSON.parse((await cli(["user", "list", "--json", "--data", data])).out)).toHaveLength(1);
  });

  test("refuses bad names and passwords, and repeats no password", async () => {
    const data = newData();
    for (const secret of ["short", "", "x".repeat(1025), "y".repeat(100_000)]) {
      const { exitCode, out, err } = await cli(["user", "add", "anna", "--data", data], secret);
      expect(exitCode).toBe(2);
      if (secret !== "") expect(out + err).not.toContain(secret.slice(0, 50));
    }
    for (const name of ["", " ", "a b", "../x", "a\nb", "-", "x".repeat(65), "<b>"]) {
      expect([
        name,
        (await cli(["user", "add", "--data", data, "--", name], "long enough\n")).exitCode,
      ]).toEqual([name, 2]);
    }
    expect((await cli(["user", "add", "anna", "--password-file", "/no/such", "--data", data])).exitCode).toBe(
      2,
    );
    expect(
      (await cli(["user", "add", "anna", "--data", data, "--password", "hunter2hunter2"], "long enough"))
        .exitCode,
    ).toBe(2);
  });
});

describe("key", () => {
  test("create in every form, list, revoke", async () => {
    const data = newData();
    const create = async (...args: string[]) => cli(["key", "create", ...args, "--data", data]);
    const plain = await create("--node", "pi-garage");
    expect(plain.out).toMatch(/^lck_[a-z2-9]{10}_[a-z2-9]{52}\n$/);
    expect(plain.err).toContain("pi-garage");
    const json = async (...args: string[]) => JSON.parse((await create(...args, "--json")).out);
    expect(await json("--client", "grafana")).toMatchObject({
      kind: "client",
      name: "grafana",
      node_id: null,
    });
    expect(await json("--kind", "node", "--name", "any")).toMatchObject({
      kind: "node",
      name: "any",
      node_id: null,
    });
    expect(await json("--node", "pi2")).toMatchObject({ kind: "node", node_id: "pi2" });
    expect(await json()).toMatchObject({ kind: "client" });
    const { key, key_id } = await json("--client", "x");
    expect(key).toContain(`lck_${key_id}_`);
    const list = (await cli(["key", "list", "--data", data])).out;
    expect(list.split("\n")).toHaveLength(8);
    expect(list).toContain(key_id);
    expect(list).not.toContain(key.split("_")[2]);
    expect((await cli(["key", "revoke", key, "--data", data])).exitCode).toBe(0);
    expect((await cli(["key", "revoke", key_id, "--data", data])).exitCode).toBe(1);
    expect((await cli(["key", "revoke", "none", "--data", data])).exitCode).toBe(1);
  });

  test("refuses what makes no sense, all of it at once", async () => {
    const { exitCode, err } = await cli([
      "key",
      "create",
      "--kind",
      "client",
      "--node",
      "../x",
      "--name",
      "a\nb",
      "--data",
      newData(),
    ]);
    expect(exitCode).toBe(2);
    expect(err.match(/--node/g)).toHaveLength(2);
    expect(err).toContain("--name");
    expect(
      (await cli(["key", "create", "--kind", "node", "--client", "x", "--data", newData()])).exitCode,
    ).toBe(2);
  });
});

describe("config", () => {
  test("every mistake at once, with exit code 2", async () => {
    const path = join(folder, "bad.yaml");
    await writeFile(
      path,
      "listen: 99\ndata_path: relative\npublic_url: ftp://x/y\nsession_hours: 0\nlog_level: loud\nport: 1\nhost: x\n",
    );
    const { exitCode, err } = await cli(["serve", "--config", path]);
    expect(exitCode).toBe(2);
    for (const field of ["listen", "data_path", "public_url", "session_hours", "log_level", "port", "host"]) {
      expect(err).toContain(`  ${field}: `);
    }
    expect((await cli(["serve", "--config", join(folder, "none.yaml")])).exitCode).toBe(2);
    await writeFile(path, "a: [");
    expect((await cli(["serve", "--config", path])).exitCode).toBe(2);
    await writeFile(path, "- a\n- b\n");
    expect((await cli(["serve", "--config", path])).exitCode).toBe(2);
    for (const listen of ["8080", ":8080", "0.0.0.0", "0.0.0.0:99999", "http://x:1", "a b:1"]) {
      expect([listen, (await cli(["serve", "--listen", listen])).exitCode]).toEqual([listen, 2]);
    }
  });

  test("the example is valid and says the defaults", async () => {
    const example = await loadHubConfig({
      config: resolve(import.meta.dir, "../../deploy/hub.example.yaml"),
    });
    expect(example).toEqual(await loadHubConfig({}));
    expect(example).toMatchObject({ listen: { hostname: "0.0.0.0", port: 8080 }, data_path: "/data" });
  });

  test("each setting is in the example and in what `serve --help` says", async () => {
    const example = await Bun.file(resolve(import.meta.dir, "../../deploy/hub.example.yaml")).text();
    for (const setting of Object.keys(HubConfig.entries)) {
      expect(example).toMatch(new RegExp(`^(?:# )?${setting}: `, "m"));
      expect(helpTexts.serve).toContain(setting);
    }
  });

  test("the command line wins over the file", async () => {
    const path = join(folder, "good.json");
    await writeFile(path, JSON.stringify({ listen: "[::1]:7", data_path: "/a", archive_path: "/b" }));
    expect(await loadHubConfig({ config: path, data: "x", listen: "127.0.0.1:0" })).toMatchObject({
      listen: { hostname: "127.0.0.1", port: 0 },
      data_path: join(process.cwd(), "x"),
      archive_path: "/b",
    });
    expect((await loadHubConfig({ config: path })).listen).toEqual({ hostname: "::1", port: 7 });
  });
});

describe("serve", () => {
  test("says when nobody can sign in, ends cleanly at SIGTERM, and the CLI may change things while it runs", async () => {
    const data = newData();
    const archive = join(folder, "archive");
    await mkdir(archive, { recursive: true });
    await using hub = await startHubProcess({ data, archive });
    const key = (await cli(["key", "create", "--client", "x", "--data", data])).out.trim();
    const status = async () =>
      (await fetch(`${hub.url}/api/videos`, { headers: { authorization: `Bearer ${key}` } })).status;
    expect(await status()).toBe(200);
    expect((await cli(["key", "revoke", key, "--data", data])).exitCode).toBe(0);
    // The hub may have remembered the key a moment ago.
    while ((await status()) === 200) await sleep(20);
    expect(await status()).toBe(401);
    expect(hub.log()).toContain(`livecam-hub user add NAME --role admin --data ${data}`);
    for (const line of hub
      .log()
      .split("\n")
      .filter((line) => line.startsWith("{")))
      JSON.parse(line);
    hub.child.kill("SIGTERM");
    expect(await hub.child.exited).toMatchObject({ exitCode: 0 });
  });

  test("a taken port and a folder that cannot be written are one clear line each", async () => {
    const data = newData();
    await using hub = await startHubProcess({ data, archive: folder });
    const port = new URL(hub.url).port;
    const serve = ["serve", "--listen", `127.0.0.1:${port}`, "--archive", folder];
    const taken = await cli([...serve, "--data", newData()]);
    expect(taken.exitCode).toBe(1);
    expect(taken.err).toContain(`127.0.0.1:${port} is taken`);
    const file = join(folder, "a-file");
    await writeFile(file, "");
    const blocked = await cli([
      "serve",
      "--listen",
      "127.0.0.1:0",
      "--data",
      join(file, "x"),
      "--archive",
      folder,
    ]);
    expect(blocked.exitCode).toBe(1);
    expect(blocked.err.trim().split("\n")).toHaveLength(1);
    const noDatabase = newData();
    await mkdir(noDatabase);
    await writeFile(join(noDatabase, "catalog.db"), "this is not a database file at all".repeat(100));
    const damaged = await cli([
      "serve",
      "--listen",
      "127.0.0.1:0",
      "--data",
      noDatabase,
      "--archive",
      folder,
    ]);
    expect(damaged.exitCode).toBe(1);
    expect(damaged.err).toContain("damaged");
  });

  test("a second hub on the same data is told who has it", async () => {
    const data = newData();
    await using hub = await startHubProcess({ data, archive: folder });
    const second = await cli(["serve", "--listen", "127.0.0.1:0", "--data", data, "--archive", folder]);
    expect(second).toMatchObject({
      exitCode: 1,
      err: `livecam-hub: another livecam-hub (process ${hub.child.pid}) works on ${data}\n`,
    });
    hub.child.kill("SIGKILL");
    await hub.child.exited;
    await using _next = await startHubProcess({ data, archive: folder });
  });

  test("no archive folder does not keep it from serving", async () => {
    await using hub = await startHubProcess({ data: newData(), archive: join(folder, "no-archive") });
    expect((await fetch(`${hub.url}/api/health/live`)).status).toBe(200);
  });
});

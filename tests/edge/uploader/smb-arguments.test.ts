import { expect, test } from "bun:test";
import * as v from "valibot";
import { SmbClientDestination } from "../../../src/edge/destination-config.ts";
import { smbClientArguments } from "../../../src/edge/uploader/smb-arguments.ts";

const least = {
  ...{ type: "smb", mode: "client", server: "nas.local", share: "cameras", username: "livecam" },
  password: { env: "SMB_PASSWORD" },
};

test("the shortest config, and a session", () => {
  const config = v.parse(SmbClientDestination, least);
  expect(smbClientArguments(config, { credentialsFile: "/run/livecam/c" })).toEqual([
    ...["setpriv", "--pdeathsig", "KILL", "--", "stdbuf", "--input=0", "smbclient", "//nas.local/cameras"],
    ...["--configfile=/dev/null", "--authentication-file=/run/livecam/c"],
    ...["--max-protocol=SMB3", "--option=clientminprotocol=SMB3", "--stderr", "--quiet", "--timeout=180"],
  ]);
});

test("everything set, and a command", () => {
  const config = v.parse(SmbClientDestination, {
    ...{ ...least, port: 4455, path: "my videos/cams", domain: "HOME", protocol: "SMB2" },
  });
  const argv = smbClientArguments(config, { credentialsFile: "/run/livecam/c", command: "ls; ls" });
  expect(argv).toEqual([
    ...["setpriv", "--pdeathsig", "KILL", "--", "smbclient", "//nas.local/cameras"],
    ...["--configfile=/dev/null", "--authentication-file=/run/livecam/c"],
    ...["--max-protocol=SMB2", "--option=clientminprotocol=SMB2", "--stderr", "--quiet", "--timeout=180"],
    ...["--port=4455", "--directory=my videos/cams", "--command=ls; ls"],
  ]);
});

test.each([
  ["server", "-nas"],
  ["server", "nas/share"],
  ["server", "nas name"],
  ["share", "a/b"],
  ["share", "a\\b"],
  ["share", 'a"b'],
  ["share", "a\nb"],
  ["share", "a,b"],
  ["path", "../other"],
  ["path", "a/../b"],
  ["path", "/a"],
  ["path", "a/"],
  ["path", 'a";!reboot'],
  ["path", "a\n!reboot"],
  ["username", "me%secret"],
  ["username", "HOME\\me"],
  ["username", "me\npassword=x"],
  ["domain", "a b"],
  ["port", 0],
  ["port", 70_000],
  ["password", "secret"],
  ["protocol", "NT1"],
])("the config refuses %s %j", (key, value) => {
  expect(v.safeParse(SmbClientDestination, { ...least, [key]: value }).success).toBe(false);
});

test.each([
  ["share", "Kamera Videos"],
  ["path", "a..b/c d/한글"],
  ["username", "live cam"],
])("the config takes %s %j", (key, value) => {
  expect(v.safeParse(SmbClientDestination, { ...least, [key]: value }).success).toBe(true);
});

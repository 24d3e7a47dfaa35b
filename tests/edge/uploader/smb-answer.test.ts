import { expect, test } from "bun:test";
import {
  parseSmbFreeBytes,
  parseSmbListing,
  smbConnectionError,
  smbOperationError,
  smbStatusOf,
} from "../../../src/edge/uploader/smb-answer.ts";

// As smbclient 4.17 wrote it.
const listing = [
  "  .                                   D        0  Mon Nov 23 17:37:50 2026",
  "  ..                                  D        0  Sun Nov  1 17:37:50 2026",
  "  cam01_20250923_153000.mp4           A 52428800  Mon Nov 23 17:37:50 2026",
  "  .cam01_20250923_153000.mp4.01997000-0000-7000-8000-0000000000aa.0badcafe.partial      N        3  Mon Nov 23 17:37:50 2026",
  "  cam01_20250923_154000.mp4        DAHSR        0  Mon Nov 23 17:37:50 2026",
  "  two words.mp4                       A        3  Mon Nov 23 17:37:50 2026",
  '  ";!reboot                           A        3  Mon Nov 23 17:37:50 2026',
  "\t\t264212084 blocks of size 1024. 62857640 blocks available",
];

test("reads a listing, and leaves out what has no name of ours", () => {
  expect(parseSmbListing(listing)).toEqual([
    { name: "cam01_20250923_153000.mp4", isFolder: false, sizeBytes: 52428800 },
    {
      name: ".cam01_20250923_153000.mp4.01997000-0000-7000-8000-0000000000aa.0badcafe.partial",
      isFolder: false,
      sizeBytes: 3,
    },
    { name: "cam01_20250923_154000.mp4", isFolder: true, sizeBytes: 0 },
  ]);
  expect(parseSmbFreeBytes(listing)).toBe(62857640 * 1024);
  expect(parseSmbListing(["NT_STATUS_NO_SUCH_FILE listing \\zz"])).toEqual([]);
  expect(parseSmbFreeBytes([])).toBeUndefined();
});

test("finds the status", () => {
  expect(smbStatusOf(["putting file - as \\f", "cli_push returned NT_STATUS_DISK_FULL"])).toBe("DISK_FULL");
  expect(smbStatusOf(["getting file \\x of size 3 as - (2.9 KiloBytes/sec)"])).toBeUndefined();
});

test.each([
  ["cli_push returned NT_STATUS_DISK_FULL", "ENOSPC"],
  ["NT_STATUS_ACCESS_DENIED opening remote file \\f", "EACCES"],
  ["NT_STATUS_MEDIA_WRITE_PROTECTED opening remote file \\f", "EROFS"],
])("%s is %s of the archive", (line, errno) => {
  expect(smbOperationError("cannot write", [line])).toMatchObject({
    code: "io",
    details: { side: "archive", errno },
  });
});

test.each([
  ["session setup failed: NT_STATUS_LOGON_FAILURE", "//nas/x refused user name or password (LOGON_FAILURE)"],
  ["tree connect failed: NT_STATUS_BAD_NETWORK_NAME", "//nas/x has no such share (BAD_NETWORK_NAME)"],
  ["protocol negotiation failed: NT_STATUS_IO_TIMEOUT", "//nas/x does not answer (IO_TIMEOUT)"],
  ["do_connect: Connection to nas failed (Error NT_STATUS_UNSUCCESSFUL)", "cannot be found or reached"],
  ["cd \\nope\\: NT_STATUS_OBJECT_NAME_NOT_FOUND", "//nas/x has no such folder in the share"],
  ["setpriv: failed to execute smbclient", "//nas/x: setpriv: failed to execute smbclient"],
])("%s is told", (line, reason) => {
  const error = smbConnectionError("//nas/x", [line]);
  expect(error).toMatchObject({ code: "unavailable", message: expect.stringContaining(reason) });
});

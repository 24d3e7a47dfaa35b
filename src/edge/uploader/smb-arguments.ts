import type { SmbClientDestination } from "../destination-config.ts";

/**
 * How `smbclient` is started. It never sees a shell, the password stands in a file that only we can read, and no
 * smb.conf of the machine changes what it does. `setpriv` (util-linux) lets it die with the upload worker: with a
 * stopped server it would hang for ever.
 */
export function smbClientArguments(
  destination: SmbClientDestination,
  options: { credentialsFile: string; command?: string },
): string[] {
  const { server, share, port, path, protocol } = destination;
  return [
    ...["setpriv", "--pdeathsig", "KILL", "--"],
    // From a buffer, smbclient would not take the second of two lines before a third one comes.
    ...(options.command === undefined ? ["stdbuf", "--input=0"] : []),
    ...["smbclient", `//${server}/${share}`],
    ...["--configfile=/dev/null", `--authentication-file=${options.credentialsFile}`],
    ...[`--max-protocol=${protocol}`, `--option=clientminprotocol=${protocol}`],
    // Messages to stderr, which smbclient does not hold back as it does stdout.
    // A request of 8 MiB may take a slow line long; for one that hangs there is the worker's own limit.
    ...["--stderr", "--quiet", "--timeout=180"],
    ...(port === undefined ? [] : [`--port=${port}`]),
    ...(path === "" ? [] : [`--directory=${path}`]),
    ...(options.command === undefined ? [] : [`--command=${options.command}`]),
  ];
}

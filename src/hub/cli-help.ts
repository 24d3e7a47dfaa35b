/** What stands below the options in each command's help. */
export const helpTexts = {
  overview: `
A first run:
  $ livecam-hub user add anna --role admin --data ./data       asks for the password
  $ livecam-hub key create --node pi-garage --data ./data      for the config of an edge
  $ livecam-hub serve --data ./data --archive /mnt/nas/videos  then open http://localhost:8080

All commands may be used while the hub runs; what they change counts at once, a revoked
key, new password or removed user within a quarter of a second.
Exit codes: 0 done, 1 failed, 2 wrong arguments or config.`,

  serve: `
The config may have: listen, data_path, archive_path, archive_access, previews, public_url, session_hours,
heartbeat_seconds, link_ping_seconds, transcoding, transcoding_at_once, transcoding_cache_mb, log_level. Every mistake in it
is told at once, with exit code 2. Without one everything has a default.

The data folder has to be on a local disk, never on the NAS. An archive that is not there does not keep the hub from
starting: it serves what it knows, and says so in /api/health. An empty archive folder is made into a new archive.

Logs go to stderr, as JSON where that is no terminal. The first SIGTERM or Ctrl-C ends requests cleanly, the second
leaves at once.

  $ livecam-hub serve --listen 127.0.0.1:8080 --data ./data --archive ./videos
  $ livecam-hub serve --config /etc/livecam/hub.yaml`,

  verify: `
Exit codes: 0 all is well, 1 something is wrong, 2 a path is not there.

  $ livecam-hub verify /mnt/nas/videos/cam01/2025-09-23
  $ livecam-hub verify evidence_cam01_20250923T063000Z.zip
  $ livecam-hub verify --json a.mp4 b.mp4 | jq 'select(.ok | not)'`,

  user: `
  $ livecam-hub user add anna --role admin
  $ livecam-hub user passwd anna < new-password.txt
  $ livecam-hub user list`,

  userAdd: `
A password has 8 to 1024 characters. It is never taken from the command line, where every user of the machine could
read it. An admin may change things, a viewer may look at everything.

  $ livecam-hub user add anna --role admin            asks twice
  $ pwgen -s 20 1 | tee /dev/tty | livecam-hub user add anna
  $ livecam-hub user add anna --password-file /run/secrets/anna`,

  key: `
Programs send a key with each request: Authorization: Bearer lck_…

  $ livecam-hub key create --node pi-garage
  $ livecam-hub key create --client grafana
  $ livecam-hub key list
  $ livecam-hub key revoke k3h7w2mq9x`,

  keyCreate: `
The key is printed on stdout and kept nowhere: the hub remembers only its hash.

  $ livecam-hub key create --node pi-garage > /etc/livecam/api-key     this node alone
  $ livecam-hub key create --kind node --name garage                   any node
  $ livecam-hub key create --client grafana --json`,
} as const;

import * as v from "valibot";
import { CameraId, Sha256Hex } from "../../common/ids.ts";
import { NonNegativeInteger, PlainText, WireTime } from "../../common/protocol/wire.ts";
import { SegmentIdentityJson } from "../../common/segment-identity.ts";

/** Names of an export's own files; the videos lie under `videos/`, by their paths in the archive. */
export const manifestName = "manifest.json";
export const hashesName = "SHA256SUMS";
export const readmeName = "HOW-TO-VERIFY.txt";

const MissingJson = v.object({
  from_time: WireTime,
  to_time: WireTime,
  cause: PlainText(64),
  detail: PlainText(500),
});

const RangeJson = v.object({
  camera_id: CameraId,
  from_time: WireTime,
  to_time: WireTime,
  expected_ms: NonNegativeInteger,
  recorded_ms: NonNegativeInteger,
  missing: v.array(MissingJson),
});

const FileJson = v.object({
  path: PlainText(300),
  file_size: NonNegativeInteger,
  /** Of the file, as the camera's node computed it when it put it into the archive. */
  file_sha256: Sha256Hex,
  /** As the file itself says; `recorded_sha256` in it is of the bytes as they were recorded. */
  identity: SegmentIdentityJson,
});

/** `manifest.json` of an evidence export: what was asked for, what of it there is, and what is in the archive file. */
export const EvidenceManifest = v.object({
  format: v.literal("livecam-evidence"),
  format_version: v.literal(1),
  created_at: WireTime,
  software_version: PlainText(64),
  archive_id: v.nullable(PlainText(64)),
  ranges: v.array(RangeJson),
  files: v.array(FileJson),
});
export type EvidenceManifest = v.InferInput<typeof EvidenceManifest>;

/** `SHA256SUMS` as `sha256sum --check` reads it; `own` are the other files that are not videos. */
export function hashesText(
  manifest: { files: readonly { path: string; file_sha256: string }[] },
  own: readonly { name: string; text: string }[],
): string {
  const sha256 = (text: string) => new Bun.CryptoHasher("sha256").update(text).digest("hex");
  const lines = [
    ...own.map(({ name, text }) => `${sha256(text)}  ${name}`),
    ...manifest.files.map(({ path, file_sha256 }) => `${file_sha256}  ${path}`),
  ];
  return `${lines.join("\n")}\n`;
}

/** For the person who gets the export and has never heard of livecam. */
export const howToVerify = `HOW TO VERIFY THIS EXPORT

Everything below videos/ is an original file, byte for byte as the camera's node put it into the archive. Each is an
ordinary MP4. manifest.json says which camera and time were asked for, what of it was recorded, what is missing and why,
and for each file who recorded it when.

1. With any computer: unpack this file and run, in its folder,
       sha256sum --check ${hashesName}
   Every line has to end in "OK".

2. With livecam:
       livecam-hub verify EXPORT.zip
   It also checks each video against the hash that was taken on the camera's node while it was recorded
   ("recorded_sha256", written into the file itself), and finds any bit that was changed, in the videos and around them.

To prove later that this export itself was not replaced by another one, write down its SHA-256 (sha256sum EXPORT.zip)
where both sides can see it when you hand it over.


이 내보내기를 확인하는 방법

videos/ 아래의 파일은 모두 원본이며, 카메라 노드가 저장소에 넣은 그대로입니다. 각 파일은 일반 MP4입니다. manifest.json에는
요청한 카메라와 시간, 그중 녹화된 부분, 빠진 부분과 그 이유, 각 파일을 누가 언제 녹화했는지가 적혀 있습니다.

1. 어느 컴퓨터에서나: 압축을 풀고 그 폴더에서 다음을 실행하십시오.
       sha256sum --check ${hashesName}
   모든 줄이 "OK"로 끝나야 합니다.

2. livecam으로:
       livecam-hub verify EXPORT.zip
   녹화하는 동안 카메라 노드에서 계산되어 파일 안에 기록된 해시("recorded_sha256")까지 확인하며, 영상과 그 주변에서 바뀐
   비트를 하나라도 찾아냅니다.

나중에 이 내보내기 자체가 바뀌지 않았음을 증명하려면, 전달할 때 그 SHA-256(sha256sum EXPORT.zip)을 양쪽이 볼 수 있는 곳에
적어 두십시오.
`;

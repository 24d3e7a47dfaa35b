/** Where a video that is on its node is played from, on this hub. */
export function edgeStreamUrlOf({ cameraId, videoId }: { cameraId: string; videoId: string }): string {
  return `/api/cameras/${cameraId}/on-edge/${videoId}/stream.mp4`;
}

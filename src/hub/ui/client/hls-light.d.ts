/** The same without what recordings of cameras have no use for: subtitles, DRM, alternative sound. */
declare module "hls.js/light" {
  export * from "hls.js";
  export { default } from "hls.js";
}

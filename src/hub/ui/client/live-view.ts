import { createLivePlayer } from "./live-player.ts";
import { listenForLiveTools } from "./live-tools.ts";

// The page of one camera as it is now. While it is hidden nobody watches, and the camera's node sends nothing.

const hiddenMs = 10_000;

function watchLive(view: HTMLElement, video: HTMLVideoElement): void {
  const player = createLivePlayer(video, view.dataset.live ?? "", (state) => {
    // The page says something else in each.
    view.dataset.state = state;
  });
  let hiding: ReturnType<typeof setTimeout> | undefined;
  const change = () => {
    clearTimeout(hiding);
    if (!document.hidden) player.start();
    // A picture of its own in front of other windows is looked at.
    else if (document.pictureInPictureElement !== video)
      hiding = setTimeout(player.stop.bind(player), hiddenMs);
  };
  document.addEventListener("visibilitychange", change);
  video.addEventListener("leavepictureinpicture", change);
  change();
}

const view = document.querySelector<HTMLElement>("[data-live]");
const video = view?.querySelector("video");
if (view && video) {
  watchLive(view, video);
  listenForLiveTools(video);
}

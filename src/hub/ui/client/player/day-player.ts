import { AddressBar, queryOf } from "./address-bar.ts";
import { CameraStage } from "./camera-stage.ts";
import { ClipMarks } from "./clip-marks.ts";
import { DayAround } from "./day-around.ts";
import { FollowNewest } from "./follow-newest.ts";
import { HoverCard } from "./hover-card.ts";
import { InStep } from "./in-step.ts";
import { LeapWatch } from "./leap-watch.ts";
import { listenForKeys } from "./listen-for-keys.ts";
import { listenForOthers } from "./other-cameras.ts";
import { following, type View } from "./plan-view.ts";
import type { PlayerKeys } from "./player-keys.ts";
import { PlayerNote } from "./player-note.ts";
import { part, readSettings } from "./player-settings.ts";
import { fallBackToH264, fillQualities } from "./quality-menu.ts";
import { refreshOften } from "./refresh-often.ts";
import { Shuttle } from "./shuttle.ts";
import { TimelineData } from "./timeline-data.ts";
import { TimelineView } from "./timeline-view.ts";
import { createRetries } from "./try-again.ts";
import { wallMs } from "./wall-clock.ts";
import { createTimeFormats, type Failure, fill } from "./words.ts";

const stepMs = 100;
const askAgainMs = 3_000;

/** The page of a camera's day with script: any moment of the camera, and of others beside it at the same instant. */
class DayPlayer extends HTMLElement {
  #stop = new AbortController();

  connectedCallback(): void {
    this.#stop = new AbortController();
    this.#run(this.#stop.signal);
  }

  disconnectedCallback(): void {
    this.#stop.abort();
  }

  #run(signal: AbortSignal): void {
    const settings = readSettings(this);
    const { words, cameras, timeZone, language } = settings;
    const formats = createTimeFormats(language, timeZone);
    const surface = part(this, "surface");
    const play = part<HTMLButtonElement>(this, "play");
    const rates = part<HTMLSelectElement>(this, "rate");
    const qualities = part<HTMLSelectElement>(this, "quality");
    const note = new PlayerNote(part(this, "note"), part(this, "now"), words.failed.network);

    const tryAgainLater = createRetries(signal);
    const all = cameras.map(({ cameraId }, i) => {
      const screen = this.querySelectorAll<HTMLElement>(".screen")[i] as HTMLElement;
      const video = screen.querySelector("video") as HTMLVideoElement;
      const onFailed = async (why: Failure, wasPlaying: boolean) => {
        if (why === "network") {
          note.sayUnanswered();
          tryAgainLater(stage, wasPlaying);
        } else if (why === "refused" || !(await fallBackToH264(stage))) note.note(words.failed[why]);
        else if (wasPlaying) shuttle.play();
      };
      const data = new TimelineData(cameraId, () => timeline.draw());
      const playableIn = (atMs: number, range: View) => data.alike(atMs, range);
      const isOnEdge = (atMs: number) => data.isOnEdgeAt(atMs);
      const stage = new CameraStage({
        ...{ cameraId, timeZone, video, isOnEdge },
        ...{ note, events: { onFailed: (why, wasPlaying) => void onFailed(why, wasPlaying), playableIn } },
      });
      return { stage, screen, data };
    });
    const [main, ...others] = all as [(typeof all)[number], ...typeof all];
    const { stage, data } = main;
    const inStep = new InStep(stage, others);
    const shuttle = new Shuttle(stage);
    const address = new AddressBar(others.map((other) => other.stage.cameraId));

    const around = new DayAround({
      ...{ player: this, cameraId: main.stage.cameraId, timeZone, atMs: settings.day.fromMs },
    });

    const within = (): View => ({ fromMs: settings.firstMs, toMs: Math.max(wallMs(), settings.day.toMs) });
    const hover = new HoverCard(part(this, "hover"), words, formats);
    const timeline: TimelineView = new TimelineView({
      ...{ surface, timeZone, language, within },
      rows: all.map((one) => one.data),
      kindOf: (cause) => settings.kinds[cause] ?? "other",
      onEdge: {
        waiting: words.onEdge,
        uploading: (progress) => fill(words.uploading, formats.share(progress)),
      },
      view: settings.day,
      onSeek: (atMs, eventTime) => void seek(atMs, eventTime),
      onHover: (at) => hover.show(at, surface.clientWidth),
    });
    const marks = new ClipMarks({
      cameraIds: cameras.map(({ cameraId }) => cameraId),
      ...{ words, formats },
      elements: {
        text: part(this, "marked"),
        clip: part<HTMLAnchorElement>(this, "clip"),
        evidence: part<HTMLAnchorElement>(this, "evidence"),
        clear: part<HTMLButtonElement>(this, "clear"),
      },
    });

    let seeks = 0;
    const seek = async (askedMs: number, clickedAt = performance.now()) => {
      const own = ++seeks;
      const wanted = Math.min(askedMs, wallMs());
      const atMs = data.isRecordedAt(wanted) ? wanted : await data.nearest(wanted);
      if (atMs === undefined && data.isUnanswered) {
        note.sayUnanswered();
        setTimeout(() => !signal.aborted && own === seeks && void seek(askedMs), askAgainMs);
        return;
      }
      note.sayAnswered();
      if (atMs === undefined) {
        note.note(words.noFootage);
        return;
      }
      main.screen.classList.remove("away");
      if (Math.abs(atMs - wanted) > 1_000) tellGap(wanted, atMs);
      stage.show(atMs, clickedAt);
      last = undefined;
      inStep.keep(shuttle.rate, shuttle.isPlaying);
      timeline.view = following(timeline.view, atMs, within());
      update();
      address.write(stage.atMs, 0);
    };

    const tellGap = (fromMs: number, toMs: number) => {
      const cause = words.causes[data.gapAt((fromMs + toMs) / 2)?.cause ?? ""];
      const length = formats.duration(Math.abs(toMs - fromMs));
      note.note(cause ? fill(words.skipped, length, cause) : fill(words.skippedUnknown, length));
    };

    /** Of the last look, to see where the clock on the wall jumps. */
    let last: { wallMs: number; seconds: number } | undefined;
    const look = () => {
      const { atMs, video } = stage;
      if (atMs === undefined || video.seeking || video.readyState < 2) return;
      if (last && !video.paused) {
        const jumpedMs = atMs - last.wallMs - (video.currentTime - last.seconds) * 1000;
        if (jumpedMs > 1_500) tellGap(last.wallMs, atMs);
      }
      last = { wallMs: atMs, seconds: video.currentTime };
    };

    const update = () => {
      const { atMs } = stage;
      if (play.dataset.state !== (shuttle.isPlaying ? "playing" : "paused")) {
        play.dataset.state = shuttle.isPlaying ? "playing" : "paused";
        play.ariaLabel = shuttle.isPlaying ? words.pause : words.play;
        play.title = play.ariaLabel;
      }
      const rate = String(Math.abs(shuttle.rate));
      if (rates.value !== rate) rates.value = rate;
      timeline.show({ atMs, mark: { fromMs: marks.fromMs, toMs: marks.toMs } });
      if (atMs === undefined) return;
      const text = formats.dateTime(atMs);
      const shown = part(this, "time");
      if (shown.textContent === text) return;
      shown.textContent = text;
      surface.ariaValueNow = String(Math.round(atMs / 1000));
      surface.ariaValueText = text;
    };

    const keys: PlayerKeys = {
      toggle: () => shuttle.toggle(),
      pause: () => shuttle.pause(),
      push: (direction) => shuttle.push(direction),
      step: (direction) => {
        shuttle.pause();
        stage.step(direction, data.videoAt(stage.atMs ?? 0)?.fps ?? settings.fps);
      },
      seekBy: (ms) => {
        if (stage.atMs !== undefined) void seek(stage.atMs + ms);
      },
      seekTo: (end) => {
        const { fromMs, toMs } = timeline.view;
        void seek(end === "from" ? fromMs : toMs - 1);
      },
      zoom: (factor) => timeline.zoom(factor),
      mark: (end) => {
        if (stage.atMs !== undefined) marks.mark(end, Math.round(stage.atMs));
      },
      mute: () => {
        stage.video.muted = !stage.video.muted;
        part(this, "sound").ariaPressed = String(!stage.video.muted);
      },
      fullScreen: () => {
        if (document.fullscreenElement) void document.exitFullscreen();
        // With what it is played with: a person may have no keys.
        else this.requestFullscreen?.().catch(() => {});
      },
    };
    const buttons: Record<string, () => void> = {
      play: keys.toggle,
      back: () => keys.seekBy(-10_000),
      forward: () => keys.seekBy(10_000),
      "frame-back": () => keys.step(-1),
      "frame-forward": () => keys.step(1),
      "zoom-in": () => keys.zoom(0.5),
      "zoom-out": () => keys.zoom(2),
      "mark-from": () => keys.mark("from"),
      "mark-to": () => keys.mark("to"),
      clear: () => {
        marks.clear();
        // It is gone then, and the focus with it.
        part(this, "mark-from").focus();
      },
      sound: keys.mute,
      full: keys.fullScreen,
    };
    const withUpdate = (action: () => void) => () => {
      action();
      update();
    };
    for (const button of this.querySelectorAll<HTMLElement>("button[data-part]")) {
      const action = buttons[button.dataset.part ?? ""];
      if (action) button.addEventListener("click", withUpdate(action));
    }
    rates.addEventListener("change", () => {
      const rate = Number(rates.value);
      if (shuttle.isPlaying) shuttle.play(rate);
      else shuttle.prepare(rate);
    });
    qualities.addEventListener("change", () => {
      const isPlaying = shuttle.isPlaying;
      for (const one of all) one.stage.setQuality(qualities.value);
      if (isPlaying) shuttle.play();
    });
    const stopKeys = listenForKeys(
      surface,
      Object.fromEntries(
        Object.entries(keys).map(([name, action]) => [
          name,
          (value: never) => withUpdate(() => action(value))(),
        ]),
      ) as unknown as PlayerKeys,
    );
    stage.video.addEventListener("click", withUpdate(keys.toggle));
    for (const name of ["play", "pause", "seeked", "ratechange"]) stage.video.addEventListener(name, update);
    stage.video.addEventListener("pause", () => address.write(stage.atMs, 0));
    stage.video.addEventListener("seeked", () => address.write(stage.atMs, 300));
    const askForQualities = () => {
      const atMs = stage.atMs ?? 0;
      // What is on the edge is to be had as it was recorded alone.
      if (data.isOnEdgeAt(atMs)) return;
      stage.video.removeEventListener("loadeddata", askForQualities);
      void fillQualities(qualities, stage, words.source);
    };
    stage.video.addEventListener("loadeddata", askForQualities);
    const newest = new FollowNewest({
      ...{ stage, data, shuttle, seek, words, formats },
      say: (text) => note.sayWaiting(text),
    });
    stage.video.addEventListener("ended", () => void newest.reachEnd(false));
    stage.video.addEventListener("waiting", () => {
      const { endMs, atMs } = stage;
      if (endMs !== undefined && atMs !== undefined && endMs - atMs < 1_000) void newest.reachEnd(true);
    });
    for (const name of ["playing", "seeking"]) stage.video.addEventListener(name, () => newest.leave());
    listenForOthers(this, (besides) => {
      location.search = queryOf(stage.atMs ?? settings.day.fromMs, besides);
    });

    const leaps = new LeapWatch(stage.video);
    const stepping = setInterval(() => {
      leaps.look();
      look();
      newest.look();
      void around.follow(stage.atMs);
      inStep.keep(Math.max(0.25, shuttle.rate), !stage.video.paused);
      address.write(stage.atMs);
      if (!shuttle.isPlaying) return;
      if (stage.atMs !== undefined && !surface.matches(":active")) {
        timeline.view = following(timeline.view, stage.atMs, within());
      }
      update();
    }, stepMs);
    const stopRefreshing = refreshOften(all, newest);
    signal.addEventListener("abort", () => {
      clearInterval(stepping);
      stopRefreshing();
      stopKeys();
      for (const one of all) one.stage.destroy();
    });

    // For tests and for whoever looks into it.
    Object.assign(this, { seek, shuttle, inStep, stage, timeline, all });
    for (const one of all) void one.data.refresh();
    main.screen.classList.toggle("away", settings.atMs === undefined);
    if (settings.atMs !== undefined) void seek(settings.atMs);
  }
}

customElements.define("livecam-player", DayPlayer);

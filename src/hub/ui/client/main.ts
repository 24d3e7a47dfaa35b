// The script of all pages, one module for each thing that moves. Each looks for what is its own on the page and does
// nothing where that is not there. What is here runs in the browser: it may import this folder, src/common and hls.js.
import "./calendar.ts";
import "./live-view.ts";
import "./next-video.ts";
import "./page-refresh.ts";
import "./player/day-player.ts";
import "./wall.ts";

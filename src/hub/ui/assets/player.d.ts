/** The text of player.js. */
declare const text: string;
export default text;

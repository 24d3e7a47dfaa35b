/** The text of live.js. */
declare const text: string;
export default text;

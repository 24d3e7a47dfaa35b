/** What an `<img>` shows where there is no picture: a body for an error that only programs would read otherwise. */
export const noPicture = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 320 180" width="320" height="180">
<rect width="320" height="180" fill="#8a8f98" fill-opacity=".16"/>
<g fill="none" stroke="#8a8f98" stroke-width="5" stroke-linecap="round" stroke-linejoin="round">
<path d="M120 68h58a10 10 0 0 1 10 10v24a10 10 0 0 1-10 10h-48a10 10 0 0 1-10-10z"/>
<path d="m188 84 20-12v36l-20-12M116 60l84 60"/></g></svg>
`;

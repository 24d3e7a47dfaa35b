/** The script of the pages, ready to be sent. scripts/build puts it here; from source it is made when it is asked for. */
export const bundledClient: string | undefined = undefined;

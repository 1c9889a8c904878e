/** Functions that are named like readers of foreign bytes and are not driven by the list, each with the reason. */
export const apart: Readonly<Record<string, string>> = {
  checkInvite: "parses by parseInvite and throws a sentence",
  readInvite: "parses by parseInvite and throws a sentence",
  readCard: "parses by parseCard and throws a sentence",
  openInvite: "asynchronous: by parseInvite, behind the seal of locked-invite.test.ts, and throws a sentence",
  openListing: "by readListing, behind work that costs half a second and two signatures: listing.test.ts",
  lookOf: "makes a name simpler; reads no layout",
  checkCard: "parses by parseCard and throws a sentence",
  openPlayer: "opens a path; what is in the file: slow.ts",
  openAudioFile: "opens a path; what is in the file: slow.ts",
  openByteSource: "opens a path; what is in the file: slow.ts",
  readWavLayout: "asynchronous: slow.ts",
  findBrowser: "looks for a program on this computer",
  findBridge: "reads our own preload's object",
};

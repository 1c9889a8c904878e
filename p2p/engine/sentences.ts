import type { ErrorCode } from "../api/errors.ts";
import type { CardReason } from "../core/room/invite/card.ts";
import type { InviteReason } from "../core/room/invite/invite.ts";

/** One sentence for each trouble that the core reports, each with what to do. */
export const sentences: Readonly<Record<ErrorCode, string>> = {
  usage: "That cannot be done here; see teahouse --help.",
  "invite-damaged": "This invite is damaged; ask for it again and copy all of it.",
  "invite-expired": "This invite has expired; ask the host for a new one.",
  "invite-version":
    "This invite is for another version of Teahouse; update the app, or ask for an invite of your version.",
  "invite-not-yet": "This invite is not valid yet; check this computer's clock, or try again later.",
  "card-damaged": "This relay card is damaged; ask the volunteer for it again and copy all of it.",
  "card-version":
    "This relay card is for another version of Teahouse; update the app, or ask for a card of your version.",
  "proxy-damaged": "That is not a proxy's address; write socks5://host:port or http://host:port.",
  "proxy-hides":
    "With a proxy this computer shows itself to nobody, so it cannot be a relay; use a relay's card, or choose no proxy.",
  "port-taken": "Another program already listens on that port; choose another with --listen.",
  "address-unusable": "This computer cannot listen on that address; choose another with --listen.",
  "no-network": "No relay of this room could be reached; check the connection, or ask the host for a newer invite.",
  "room-not-found": "The relays answer but do not carry this room; it may have ended: ask the host for a newer invite.",
  "refused-by-relay": "The relay does not carry rooms for others; ask another volunteer for a card.",
  "refused-relay-full": "Every relay of this room is full; try again soon, or ask the host to add a relay.",
  "refused-only-own": "This relay serves only hosts who hold its card; ask the volunteer for the card.",
  banned: "You were banned from this room.",
  locked: "This room is locked; ask the host to open it.",
  "wrong-version": "The relay runs another version of Teahouse; update the app, or ask the host for another relay.",
  kicked: "You were asked to leave this room; you can come back with an invite.",
  ended: "This room has ended.",
  "not-allowed": "You may not do that here; ask the host or a moderator.",
  "not-here": "That person, hand or invite is not here any more.",
  "stage-full": "The stage is full; move somebody to the audience first.",
  "list-full": "The room can remember no more of these; take an old one back, or replace the link.",
  "slow-mode": "This room asks for a pause between texts; try again in a moment.",
  silenced: "A moderator has stopped showing your texts; you can still listen and raise your hand.",
  forked:
    "Somebody in charge of this room has said two different things; compare codes with people you know before you trust it.",
  "invite-revoked": "This invite was taken back; ask the host for a new one.",
  "invite-used": "This invite was good for one person and has been used; ask for another.",
  "not-let-in":
    "The room is there, but nobody who keeps it let you in; they may be away. Try again later, or ask for another invite.",
  "passphrase-needed": "This invite needs a passphrase; ask whoever gave it to you.",
  "passphrase-wrong": "That passphrase does not open this invite; check it and try again.",
  "audio-missing": "That audio file does not exist; check its name.",
  "audio-unreadable": "That file cannot be read as audio; use WAV, FLAC, MP3 or Ogg.",
  "audio-empty": "That audio file holds no sound; choose another.",
  "file-unreadable": "That file or folder cannot be read; check its name and that you may read it.",
  frozen:
    "This network cuts connections off after a few seconds; you can read, write and raise your hand, but not hear: try another network or a proxy.",
  stalled: "The connection to the room was lost; it is being tried again.",
  internal: "Something in Teahouse broke; start it again, and please report what you did.",
};

/** What is wrong with a pasted invite. */
export const inviteFaults: Readonly<Record<InviteReason, readonly [ErrorCode, string]>> = {
  "not-an-invite": ["invite-damaged", "This is not a Teahouse invite; an invite begins with thi1-."],
  "is-a-card": [
    "invite-damaged",
    "This is a relay card, not an invite; give it to teahouse host --via, or ask for an invite.",
  ],
  version: ["invite-version", sentences["invite-version"]],
  truncated: ["invite-damaged", "This invite is cut short; ask for it again and copy all of it."],
  damaged: ["invite-damaged", sentences["invite-damaged"]],
  "too-long": ["invite-damaged", "This is too long to be an invite; copy only the invite itself."],
};

/** What is wrong with a pasted card. */
export const cardFaults: Readonly<Record<CardReason, readonly [ErrorCode, string]>> = {
  "not-a-card": ["card-damaged", "This is not a relay card; a card begins with thc1-."],
  "is-an-invite": ["card-damaged", "This is an invite, not a relay card; ask a volunteer for a card."],
  version: ["card-version", sentences["card-version"]],
  truncated: ["card-damaged", "This relay card is cut short; ask for it again and copy all of it."],
  damaged: ["card-damaged", sentences["card-damaged"]],
  "too-long": ["card-damaged", "This is too long to be a relay card; copy only the card itself."],
  expired: ["card-version", "This relay card has expired; ask the volunteer for a new one."],
};
